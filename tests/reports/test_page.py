"""The page that shows scores, in a real browser: it sorts, filters, slides, fetches nothing and heeds no bad name."""

import base64
import hashlib
import json
import re
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from deblurcli.errors import ImageError, PlanError
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.reports import thumbnails
from deblurcli.reports.gates import Gate, judge
from deblurcli.reports.html import document, page
from deblurcli.reports.html.page import Contents, Places
from deblurcli.reports.results import Results, Scored
from deblurcli.reports.thumbnails import ThumbnailMaker, Thumbnails, ThumbnailStore
from tests.reports.browser import WIDTHS, beyond, chromium, normal, prefer, resize
from tests.shell import run

HOSTILE = '<img src=x onerror="document.title=1">'
CLOSING = "<!--<script>"
COUNT = 130
OPTIONS = ("--metric", "psnr,ssim,mae", "--fail-under", "psnr=15", "--group-by", "family")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page of 130 pictures, the numbers it was made of, and the folders: dark baseline, lighter out, light ref."""
    place = tmp_path_factory.mktemp("site")
    rng = np.random.default_rng(0)
    names = [HOSTILE, CLOSING, *(f"{index:03}" for index in range(COUNT - 2))]
    for index, name in enumerate(names):
        sharp = np.full((24, 32, 3), 0.9, np.float32)
        noise = rng.normal(0, 0.02, sharp.shape).astype(np.float32)
        images.write(place / "ref" / f"{name}.png", sharp)
        images.write(place / "out" / f"{name}.png", sharp - 0.1 - 0.3 * index / COUNT + noise)
        images.write(place / "soft" / f"{name}.png", np.full_like(sharp, 0.3))
    lines = [json.dumps({"path": f"{name}.png", "psf": "box:3" if name < "06" else "defocus:2"}) for name in names]
    (place / "out" / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    done = run("score", "out", "ref", "--baseline", "soft", *OPTIONS, "--html", "report.html", "--json", cwd=place)
    assert done.returncode == 1 and b"score: wrote report.html" in done.stderr
    return place, json.loads(done.stdout)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(browser, site):
    """The browser with the page open, fresh; afterwards its console must be empty."""
    browser.get((site[0] / "report.html").as_uri())
    yield browser
    assert browser.get_log("browser") == []


def find(driver, selector):
    return driver.find_element("css selector", selector)


def names(driver):
    """The names in the table, from top to bottom."""
    return driver.execute_script(
        "return [...document.querySelectorAll('#table tbody .words button')].map(each => each.textContent)"
    )


def column(driver, key):
    """The texts of a column of the table."""
    script = """
      const at = [...document.querySelectorAll('#table thead th')].findIndex(
        each => each.querySelector('button')?.dataset.key === arguments[0]);
      return [...document.querySelectorAll('#table tbody tr')].map(line => line.children[at].textContent)"""
    return driver.execute_script(script, key)


def fill(driver, selector, text):
    field = find(driver, selector)
    field.clear()
    field.send_keys(text)


def head(driver, key):
    return find(driver, f'#table thead button[data-key="{key}"]')


def test_worst_comes_first_and_all_the_numbers_are_there(opened, site):
    by_psnr = sorted(site[1]["files"], key=lambda row: row["psnr"])
    assert names(opened)[:100] == [row["name"] for row in by_psnr][:100]
    assert column(opened, "psnr")[:100] == [f"{row['psnr']:.2f}" for row in by_psnr][:100]
    assert column(opened, "gain-mae")[:3] == [f"+{row['gain']['mae']:.5f}" for row in by_psnr][:3]
    assert find(opened, "#shown").text == by_psnr[0]["name"]
    assert f"{site[1]['mean']['ssim']:.4f}" in find(opened, "#tiles").text
    assert find(opened, "#places").text == "130 pairs · against ref · gain over soft"


def test_columns_sort_both_ways_and_say_so(opened, site):
    for key, sign in [("mae", -1), ("gain-psnr", 1), ("name", 1)]:
        figures = [
            row["name"] if key == "name" else row["gain"]["psnr"] if key == "gain-psnr" else row[key]
            for row in site[1]["files"]
        ]
        worst = sorted(figures, reverse=sign < 0)
        for direction, expected in ((sign, worst), (-sign, worst[::-1])):
            head(opened, key).click()
            cell = find(opened, f'th:has([data-key="{key}"])')
            assert cell.get_attribute("aria-sort") == ("ascending" if direction > 0 else "descending")
            shown = column(opened, key)[:20]
            digits = {"mae": "{:.5f}", "gain-psnr": "+{:.2f}", "name": "{}"}[key]
            assert shown == [digits.format(value) for value in expected[:20]]
    assert len(opened.find_elements("css selector", "th[aria-sort]")) == 1


def test_text_and_threshold_filter_the_table(opened, site):
    fill(opened, "#text", "01")
    assert set(names(opened)) == {row["name"] for row in site[1]["files"] if "01" in row["name"]}
    assert find(opened, "#count").text.startswith(f"{len(names(opened))} of 130 pictures")
    fill(opened, "#text", "DEFOCUS")
    assert 0 < len(names(opened)) == sum(row["group"] == "defocus" for row in site[1]["files"])
    find(opened, "#filter [type=reset]").click()
    opened.execute_async_script("setTimeout(arguments[0], 20)")
    assert find(opened, "#count").text == "130 pictures"
    find(opened, "#figure").send_keys("psnr")
    fill(opened, "#threshold", "11")
    low = {row["name"] for row in site[1]["files"] if row["psnr"] < 11}
    assert set(names(opened)) == low and low
    find(opened, "#side").send_keys("above")
    fill(opened, "#threshold", "19.5")
    assert set(names(opened)) == {row["name"] for row in site[1]["files"] if row["psnr"] > 19.5}


def test_a_bar_of_a_histogram_filters_and_bars_hold_all_pictures(opened):
    titles = opened.execute_script(
        "return [...document.querySelectorAll('.tile:first-child .hit title')].map(each => each.textContent)"
    )
    counts = [int(re.search(r": (\d+) picture", title)[1]) for title in titles]
    assert len(counts) == 24 and sum(counts) == COUNT
    bar = next(index for index, count in enumerate(counts) if count)
    opened.execute_script(
        "document.querySelectorAll('.tile:first-child .hit')[arguments[0]].dispatchEvent(new Event('click'))", bar
    )
    assert len(names(opened)) == counts[bar] and "psnr from" in find(opened, "#count").text


def test_a_failed_gate_shows_its_rows(opened, site):
    gate = site[1]["gates"][0]
    assert "failed" in find(opened, "#gates").text and "mean psnr ≥ 15" in find(opened, "#gates").text
    find(opened, "#gates button").click()
    assert find(opened, "#count").text.startswith(f"{len(gate['failing'])} of 130")
    assert names(opened)[0] == gate["failing"][0]["name"]


def brightness(driver):
    """The mean grey level of the stage's left and right half, from 0 to 1."""
    shot = cv2.imdecode(np.frombuffer(find(driver, "#stage").screenshot_as_png, np.uint8), 0) / 255
    wide = shot.shape[1]
    return shot[:, wide // 8 : wide // 3].mean(), shot[:, -wide // 3 : -wide // 8].mean()


def test_the_slider_slides_by_keyboard_and_shows_one_picture_or_the_other(opened):
    slider = find(opened, "#slider")
    left, right = brightness(opened)
    assert left == pytest.approx(0.3, abs=0.06) and right == pytest.approx(0.5, abs=0.12) and right > left + 0.05
    slider.send_keys("\ue011")  # Home: all of the right picture
    assert slider.get_attribute("value") == "0"
    assert brightness(opened)[0] == pytest.approx(right, abs=0.05)
    slider.send_keys("\ue010")  # End: all of the left one
    assert brightness(opened)[1] == pytest.approx(0.3, abs=0.06)
    slider.send_keys("\ue012")
    assert float(slider.get_attribute("value")) == 99.5
    find(opened, 'input[value="restored | sharp"]').click()
    slider.send_keys("\ue011")
    assert brightness(opened)[1] == pytest.approx(0.9, abs=0.03)
    assert slider.get_attribute("aria-label") == "Slide between Restored and Sharp"


def test_the_slider_follows_the_mouse(opened):
    from selenium.webdriver import ActionChains

    stage = find(opened, "#stage")
    wide = stage.size["width"]
    actions = ActionChains(opened).move_to_element(stage).click_and_hold().move_by_offset(wide // 4, 0).release()
    actions.perform()
    assert float(find(opened, "#slider").get_attribute("value")) == pytest.approx(75, abs=1.5)


def test_pictures_are_chosen_by_keyboard(opened):
    first = find(opened, "#table tbody button")
    first.send_keys("\ue015")
    assert find(opened, "#shown").text == names(opened)[1]
    assert opened.execute_script("return document.activeElement.textContent") == names(opened)[1]
    opened.switch_to.active_element.send_keys("\ue013")
    assert find(opened, "#shown").text == names(opened)[0]
    find(opened, "#next").click()
    assert find(opened, "tr[aria-current]").text.startswith(names(opened)[1])
    reachable = opened.execute_script(
        "return [...document.querySelectorAll('button, input, select')].filter(each => each.tabIndex < 0).length"
    )
    assert reachable == 0


def test_more_rows_come_when_they_are_wanted(opened):
    until(lambda: len(names(opened)) >= 100)
    opened.execute_script("scrollTo(0, document.body.scrollHeight)")
    time.sleep(0.3)
    assert len(names(opened)) < COUNT, "the charts below the table can be reached"
    opened.execute_script("const box = document.querySelector('#list .scroll'); box.scrollTo(0, box.scrollHeight)")
    until(lambda: len(names(opened)) == COUNT)
    assert not find(opened, "#more").is_displayed()


def until(wanted, seconds=10):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_point_of_the_scatter_is_a_picture(opened, site):
    from selenium.webdriver import ActionChains

    dots = opened.execute_script(
        "return document.querySelector('#scatter .up').getAttribute('d').split('M').length - 1"
    )
    assert dots == COUNT
    place = opened.execute_script(
        """const box = document.querySelector('#scatter svg').getBoundingClientRect();
        const [x, y] = document.querySelector('#scatter .up').getAttribute('d').match(/M(\\S+) (\\S+?)h0$/).slice(1);
        return [x - box.width / 2, y - box.height / 2]"""
    )
    svg = find(opened, "#scatter svg")
    opened.execute_script("arguments[0].scrollIntoView({ block: 'center' })", svg)
    ActionChains(opened).move_to_element_with_offset(svg, *map(round, place)).pause(0.2).perform()
    tip = find(opened, ".tip").text
    assert re.search(r": \+\d+\.\d\d dB$", tip)
    ActionChains(opened).click().perform()
    assert find(opened, "#shown").text == tip.rpartition(":")[0]


def test_dark_and_light(opened):
    def paper():
        return opened.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    prefer(opened, "dark")
    dark = paper()
    assert light != dark
    find(opened, "#theme").click()
    assert paper() == light
    find(opened, "#theme").click()
    assert paper() == dark
    prefer(opened, "light")
    assert paper() == dark


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_at_any_width(opened, width):
    try:
        resize(opened, width)
        assert beyond(opened) == []
        places = [find(opened, selector).location["y"] for selector in ("#stage", "#table", "#tiles", "#charts")]
        assert max(places[:2]) < places[2] < places[3], "pictures come before charts"
        table = find(opened, ".scroller:has(#table)")
        hint, box = (table.find_element("css selector", part) for part in (".hint", ".scroll"))
        is_wide = opened.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth + 1", box)
        assert hint.is_displayed() == is_wide == (box.get_attribute("tabindex") == "0")
        assert is_wide or width > 500
    finally:
        normal(opened)


def test_gains_are_in_words(opened, site):
    chips = [chip.text for chip in opened.find_elements("css selector", ".chip")]
    gains = [row["gain"]["psnr"] for row in site[1]["files"]]
    assert chips[0] == f"better by {np.mean(gains):.2f}"
    assert len(chips) == 3 and all(re.fullmatch(r"(better|worse) by [\d.]+|no change", chip) for chip in chips)
    assert "▲" not in opened.page_source and "▼" not in opened.page_source
    assert find(opened, "#figures tbody tr td:last-child").text.startswith("better by ")


def test_names_lose_their_common_folder(browser, tmp_path):
    rows = [Scored(f"2024/trip/{name}", {"psnr": 30.0 + index}) for index, name in enumerate(("a", "b/c"))]
    browser.get(written(tmp_path, results(*rows)).as_uri())
    assert names(browser) == ["a", "b/c"] and "all in 2024/trip/" in find(browser, "#places").text


def test_a_hostile_name_is_only_a_name(opened, site):
    assert {HOSTILE, CLOSING} <= {row["name"] for row in site[1]["files"]}
    fill(opened, "#text", "<")
    assert set(names(opened)) == {HOSTILE, CLOSING}
    for row in opened.find_elements("css selector", "#table tbody tr"):
        row.click()
    assert opened.title == "Scores of out" and not opened.find_elements("css selector", 'img[src="x"]')
    assert find(opened, "#shown").text in (HOSTILE, CLOSING)


def test_nothing_is_fetched_and_nothing_may_be(opened, site):
    fetched = opened.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert all(name.startswith("data:") for name in fetched)
    text = (site[0] / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy
    for tag in ("style", "script"):
        body = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[-1]
        assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy


@pytest.mark.parametrize("kind", ["alone", "pair", "one file"])
def test_pages_of_less(kind, browser, site, tmp_path):
    place = site[0]
    arguments = {"alone": ["out"], "pair": ["out", "ref"], "one file": ["out/001.png", "ref/001.png"]}[kind]
    done = run("score", *arguments, "--html", tmp_path / "x.html", "-q", cwd=place)
    assert done.returncode == 0 and done.stderr == b""
    browser.get((tmp_path / "x.html").as_uri())
    assert len(names(browser)) >= (1 if kind == "one file" else 100)
    assert find(browser, "#handle").is_displayed() == (kind != "alone") and find(browser, "#before").is_displayed()
    assert not find(browser, "#charts").is_displayed() and not find(browser, "#sides").is_displayed()
    assert browser.get_log("browser") == []


def test_the_page_says_which_blur_was_found(browser, site, tmp_path):
    lines = [
        {"output": "elsewhere/out/001.jpg", "status": "done", "verdict": "motion", "family": "motion", "pixels": 12.3,
         "psf": "motion:length=12.3,angle=3", "note": "restored, straight motion"},
        {"output": "out/002.png", "status": "done", "method": "photo", "note": "restored blindly by photo, as asked"},
        {"output": "out/003.png", "status": "failed"},
        {"summary": True},
    ]  # fmt: skip
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, lines)))
    page = ("--html", tmp_path / "x.html")
    done = run("score", "out", "ref", "-q", "--report", tmp_path / "r.jsonl", *page, cwd=site[0])
    assert done.returncode == 0 and done.stderr == b""
    browser.get((tmp_path / "x.html").as_uri())
    assert not find(browser, "#found").is_displayed()
    fill(browser, "#text", "motion blur")
    assert names(browser) == ["001"]
    assert find(browser, "#found").text == (
        "blur found: motion blur, 12 pixels (motion:length=12.3,angle=3); restored, straight motion"
    )
    fill(browser, "#text", "blindly")
    assert names(browser) == ["002"] and find(browser, "#found").text == "restored blindly by photo, as asked"
    (tmp_path / "r.jsonl").write_text("no report")
    for options, message in (((), "is for the page; add --html"), (page, "line 1 is not one of a report")):
        done = run("score", "out", "ref", "--report", tmp_path / "r.jsonl", *options, cwd=site[0])
        assert done.returncode == 2 and message in " ".join(done.stderr.decode().split())


def results(*rows, names=("psnr",), errors=()):
    return Results(tuple(names), list(rows), tuple(errors), len(rows))


def written(tmp_path, found, verdicts=(), made=()):
    with ThumbnailStore(tmp_path) as store:
        for name, each in dict(made).items():
            store.add(name, each)
        page.write(tmp_path / "x.html", Contents(found, list(verdicts), Places(tmp_path / "out")), store)
    return tmp_path / "x.html"


def test_odd_numbers_are_shown(browser, tmp_path):
    rows = [Scored("a", {"psnr": float("inf")}), Scored("b", {}), Scored("c", {"psnr": 30.0})]
    found = results(*rows, errors=["bad: <b>", *map(str, range(2000))])
    browser.get(written(tmp_path, found, judge([Gate("psnr", 20)], rows)).as_uri())
    assert names(browser) == ["c", "a", "b"] and column(browser, "psnr") == ["30.00", "∞", "–"]
    assert "1 infinite" in find(browser, "#tiles").text and find(browser, "#errors summary").text == "2,001 errors"
    find(browser, "#errors summary").click()
    assert "bad: <b>" in find(browser, "#errors").text and "and 1001 more" in find(browser, "#errors").text
    head(browser, "psnr").click()
    assert names(browser) == ["a", "c", "b"]
    assert browser.get_log("browser") == []


def test_a_page_of_nothing_and_of_a_missing_baseline(browser, tmp_path):
    browser.get(written(tmp_path, results(errors=["all wrong"])).as_uri())
    assert names(browser) == [] and find(browser, "#count").text == "0 pictures" and find(browser, "#errors").text
    rows = [Scored("a", {"psnr": 30.0}, {"psnr": 28.0}), Scored("b", {"psnr": 20.0})]
    browser.get(written(tmp_path, replace(results(*rows), has_baseline=True)).as_uri())
    assert find(browser, "#figures tbody").text == "psnr – 20.00 dB –" and column(browser, "gain-psnr") == [
        "–",
        "+2.00",
    ]
    assert browser.get_log("browser") == []


def test_pictures_that_find_no_room_are_left_out_and_it_is_said(browser, tmp_path, monkeypatch):
    picture = Picture(np.zeros((60, 80, 3), np.uint8))
    made = ThumbnailMaker(3).thumbnails(0.0, [picture, picture])
    rows = [Scored(name, {"psnr": value}) for name, value in (("a", 30.0), ("b", 10.0), ("c", 20.0))]
    room = int(2.5 * len(" ".join(made.pictures))) + 3 * len(made.thumbnail)
    monkeypatch.setattr(thumbnails.ThumbnailStore.shown, "__defaults__", (room,))
    browser.get(written(tmp_path, results(*rows), made={row.name: made for row in rows}).as_uri())
    assert find(browser, "#shown").text == "b" and not find(browser, "#note").is_displayed()
    find(browser, "#table tbody tr:last-child").click()
    assert find(browser, "#shown").text == "a"
    assert "Only 2 of 3 pictures, the worst by psnr" in find(browser, "#note").text


def test_pictures_are_kept_of_the_worst(monkeypatch):
    monkeypatch.setattr(thumbnails, "MOST_SHOWN", 5)
    maker, picture = ThumbnailMaker(100), Picture(np.zeros((4, 4, 3), np.uint8))
    order = np.random.default_rng(0).permutation(100)
    kept = {int(badness) for badness in order if maker.thumbnails(float(badness), [picture]).pictures}
    assert {95, 96, 97, 98, 99} <= kept and len(kept) < 40
    assert maker.thumbnails(0, [picture]).thumbnail and not maker.thumbnails(0, [picture]).pictures


def test_thumbnails_are_reduced_and_never_enlarged():
    assert [thumbnails.width_for(rows) for rows in (1, 100, 1000, 1001, 10**6)] == [1280, 960, 400, 320, 320]
    for size, width in [((900, 1800), 320), ((40, 60), 60)]:
        made = ThumbnailMaker(5000).thumbnails(0, [Picture(np.zeros((*size, 1), np.uint16))])
        for uri, kind, wide in [(made.thumbnail, "webp", min(72, size[1])), (made.pictures[0], "jpeg", width)]:
            assert uri.startswith(f"data:image/{kind};base64,")
            shown = images.decode(base64.b64decode(uri.partition(",")[2]))
            assert shown.size[0] == wide


def test_an_album_gives_back_what_it_was_given_and_bounds_it(tmp_path):
    with ThumbnailStore(tmp_path / "new") as store:
        for name in "abc":
            store.add(name, Thumbnails(f"small {name}", (f"one {name}", f"two {name}")))
        store.add("d", Thumbnails("small d"))
        assert store.shown("dcab", most=30 + 28) == {"c", "a"} and store.shown("abcd") == {"a", "b", "c"}
        assert list(store.read(["c", "d", "e"], {"c"})) == [
            ("c", b"small c", b"one c two c"), ("d", b"small d", b""),
        ]  # fmt: skip
    assert list((tmp_path / "new").iterdir()) == []


def test_a_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    row = Scored("a", {"psnr": 30.0})
    made = written(tmp_path, results(row))
    before = made.read_bytes()
    monkeypatch.setattr(page, "_head", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ImageError, match="No space left"):
        written(tmp_path, results(row))
    assert made.read_bytes() == before and list(tmp_path.iterdir()) == [made]


def test_places_without_room_for_a_page_are_refused(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PlanError, match="cannot be written to"), ThumbnailStore(tmp_path / "file"):
        pass
    with pytest.raises(PlanError, match="choose a name such as report"):
        document.check_name(tmp_path / "manifest.jsonl")
