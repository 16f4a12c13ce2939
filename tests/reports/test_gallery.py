"""The pages without a reference, in a real browser: sliders, verdicts, blurs as pictures, at every width."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.pictures import crops, images
from deblurcli.pictures.images import Picture
from deblurcli.reports.album import DETAIL, detail
from deblurcli.reports.html import gallery
from deblurcli.reports.html.gallery import Entry, Gallery
from deblurcli.reports.thumbnails import ThumbnailMaker, ThumbnailStore, psf_uri
from tests.conftest import DATA
from tests.reports.browser import WIDTHS, beyond, chromium, normal, prefer, resize
from tests.shell import messages, run

HOSTILE = '<img src=x onerror="document.title=1">'
LONG = "a-name-that-goes-on-and-on-and-on-" * 6 + ".jpg"
KINDS = {"motion": "motion blur", "sharp": "sharp", "unsure": "unsure"}
COUNT = 70


def names():
    return [f"2024/trip/{name}" for name in (HOSTILE, LONG, *(f"IMG_{index:04}.jpg" for index in range(COUNT - 2)))]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A page of 70 pictures, dark before and light after; every second one has a blur and a detail."""
    place = tmp_path_factory.mktemp("gallery")
    dark, light = (Picture(np.full((90, 120, 3), level, np.uint8)) for level in (80, 200))
    spot = Picture(np.full((90, 120, 3), 20, np.uint8))
    maker = ThumbnailMaker(COUNT)
    with ThumbnailStore(place) as store:
        entries = []
        for index, name in enumerate(names()):
            many = index % 2 == 0
            store.add(name, maker.thumbnails(0, [dark, light, *([spot, light] if many else [])]))
            found = psf_uri(families.motion(9, 30)) if many else ""
            facts = (("blur found", "motion blur, 9 pixels"), ("time", "1.5 s"))
            entries.append(Entry(name, "motion" if many else "sharp", "a few words", facts, found))
        roles = {"before": "Before", "after": "After", "part-before": "Before", "part-after": "After"}
        pairs = (("whole picture", "before", "after"), ("detail", "part-before", "part-after"))
        made = Gallery("Restored: photos", roles, pairs, KINDS, entries, errors=["x.jpg: is no picture"])
        gallery.write(place / "page.html", made, store)
    return place / "page.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(browser, place):
    """The browser with the page open, fresh; afterwards its console must be empty."""
    browser.get(place.as_uri())
    yield browser
    assert browser.get_log("browser") == []


def find(driver, selector):
    return driver.find_element("css selector", selector)


def shown(driver):
    """The names in the grid, in their order."""
    return driver.execute_script("return [...document.querySelectorAll('#grid .file')].map(each => each.textContent)")


def test_pictures_come_in_their_order_without_their_common_folder(opened):
    short = [name.removeprefix("2024/trip/") for name in names()]
    assert shown(opened) == short[:60] and find(opened, "#shown").text == HOSTILE
    assert find(opened, "#places").text == "70 pictures · all in 2024/trip/"
    find(opened, "#more").click()
    assert shown(opened) == short and not find(opened, "#more").is_displayed()
    assert opened.title == "Restored: photos" and not opened.find_elements("css selector", 'img[src="x"]')
    assert find(opened, "#errors summary").text == "1 error"


def test_verdicts_filter(opened):
    buttons = opened.find_elements("css selector", "#kinds button")
    assert [button.text for button in buttons] == ["all 70", "motion blur 35", "sharp 35"]
    buttons[2].click()
    assert find(opened, "#count").text == "35 of 70 pictures" and shown(opened)[0] == LONG
    assert buttons[2].get_attribute("aria-pressed") == "true" and buttons[0].get_attribute("aria-pressed") == "false"
    find(opened, "#text").send_keys("IMG_0001")
    assert shown(opened) == ["IMG_0001.jpg"] and find(opened, "#shown").text == "IMG_0001.jpg"
    find(opened, "#text").send_keys("\ue003" * 8)
    buttons[0].click()
    find(opened, "#order").send_keys("by name")
    assert shown(opened)[:3] == [HOSTILE, "IMG_0000.jpg", "IMG_0001.jpg"]


def test_what_was_found_stands_beside_the_picture(opened):
    assert find(opened, "#psf img").is_displayed() and "1.5 s" in find(opened, "#facts").text
    assert find(opened, "#facts").text.split("\n")[:2] == ["blur found", "motion blur, 9 pixels"]
    find(opened, "#next").click()
    assert find(opened, "#shown").text == LONG and not find(opened, "#psf").is_displayed()


def brightness(driver):
    """The mean grey level of the stage's left and right half."""
    import cv2

    shot = cv2.imdecode(np.frombuffer(find(driver, "#stage").screenshot_as_png, np.uint8), 0)
    wide = shot.shape[1]
    return [round(float(part.mean())) for part in (shot[:, wide // 8 : wide // 3], shot[:, -wide // 3 : -wide // 8])]


def test_the_slider_and_the_detail(opened):
    left, right = brightness(opened)
    assert left == pytest.approx(80, abs=15) and right == pytest.approx(200, abs=15)
    find(opened, 'input[value="detail"]').click()
    assert brightness(opened)[0] == pytest.approx(20, abs=15)
    slider = find(opened, "#slider")
    slider.send_keys("\ue011")
    assert brightness(opened)[0] == pytest.approx(200, abs=15)
    assert slider.get_attribute("aria-label") == "Slide between Before and After"
    find(opened, "#next").click()
    assert not find(opened, "#sides").is_displayed(), "this picture has no detail"


def test_all_can_be_done_by_keyboard(opened):
    find(opened, "#grid button").send_keys("\ue014")
    assert find(opened, "#shown").text == LONG
    opened.switch_to.active_element.send_keys("\ue013")
    assert find(opened, "#shown").text == HOSTILE
    unreachable = (
        "return [...document.querySelectorAll('button, input, select')].filter(each => each.tabIndex < 0).length"
    )
    assert opened.execute_script(unreachable) == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_at_any_width(opened, width, scheme):
    prefer(opened, scheme)
    try:
        resize(opened, width)
        assert beyond(opened) == []
        find(opened, "#next").click()
        assert find(opened, "#shown").text == LONG and beyond(opened) == []
        if width < 1080:
            assert find(opened, "#stage").location["y"] < find(opened, "#grid").location["y"], "pictures come first"
    finally:
        normal(opened)
        prefer(opened, "light")


def test_nothing_is_fetched(opened, place):
    fetched = opened.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert all(name.startswith("data:") for name in fetched)
    assert "unsafe" not in place.read_text().partition("</head>")[0]


# ---- what the commands write ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(sharp, tmp_path_factory):
    """A moved picture, larger than pages show, and a sharp one."""
    place = tmp_path_factory.mktemp("pages")
    cat = images.read(DATA / "sharp" / "cat.png")
    moved = blur(np.concatenate([cat, cat[:, ::-1], cat], axis=1), psf.parse("motion:15,angle=30").array())
    noise = np.random.default_rng(0).normal(0, 0.004, moved.shape)
    images.write(place / "in" / "sub" / "moved.png", (moved + noise).astype(np.float32))
    images.write(place / "in" / "sub" / "sharp.png", sharp)
    (place / "in" / "broken.png").write_bytes(b"no picture")
    return place


def told(page):
    """The data of a page, and how many pictures each row holds."""
    text = page.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    held = re.findall(r'id="p(\d+)">(.*?)</script>', text)
    return data, {data["rows"][int(index)][0]: len(each.split()) for index, each in held}


def test_deblur_shows_what_it_did(folder):
    done = run("deblur", "in", "out", "--html", "page.html", "--model", "auto", "-q", cwd=folder)
    assert done.returncode == 1 and len(messages(done)) == 1
    data, held = told(folder / "page.html")
    (moved, kind, words, facts, found), sharp = data["rows"]
    facts = dict(facts)
    assert (moved, kind, words) == ("sub/moved.png", "motion", "motion blur, 15 pixels")
    assert facts["what was done"] == "restored, straight motion" and facts["size"] == "1353 × 300 pixels"
    assert facts["as --psf takes it"].startswith("motion:length=") and re.fullmatch(r"\d+\.\d s", facts["time"])
    assert found.startswith("data:image/png;base64,")
    assert sharp[:2] == ["sub/sharp.png", "sharp"] and sharp[4] == ""
    assert held == {"sub/moved.png": 4, "sub/sharp.png": 2}, "the larger one has a detail"
    assert len(data["errors"]) == 1 and "broken.png" in data["errors"][0]


def test_wiener_shows_what_it_undid(folder):
    given = ("--psf", "motion:15,angle=30")
    done = run("wiener", "in/sub", "undone", *given, "--html", "wiener.html", cwd=folder)
    assert done.returncode == 0 and "wiener: wrote wiener.html" in messages(done)
    data, held = told(folder / "wiener.html")
    assert "<title>Restored: sub</title>" in (folder / "wiener.html").read_text(encoding="utf-8")
    for _, _, words, facts, drawn in data["rows"]:
        assert words == dict(facts)["as --psf takes it"] == "motion:length=15,angle=30"
        assert drawn.startswith("data:image/png;base64,")
    assert held == {"moved.png": 4, "sharp.png": 2}
    done = run("wiener", "in/sub", "nowhere", *given, "--html", "p.html", "--try", "nsr=0.1", cwd=folder)
    assert done.returncode == 2 and "does not work with --try" in " ".join(done.stderr.decode().split())


def test_triage_shows_what_it_saw(folder):
    done = run("triage", "in", "--html", "triage.html", "-q", cwd=folder)
    assert done.returncode == 1
    data, held = told(folder / "triage.html")
    assert [row[:2] for row in data["rows"]] == [["sub/moved.png", "motion"], ["sub/sharp.png", "sharp"]]
    assert dict(data["rows"][0][3])["deblur would"] == "undo it" and data["rows"][0][4]
    assert held == {"sub/moved.png": 2, "sub/sharp.png": 1}


@pytest.mark.parametrize(
    "options, message",
    [
        (["--html", "page.txt"], "page.txt: does not end in .html"),
        (["--html", "in/page.html"], "name a place elsewhere"),
        (["--html", "p.html", "--crop", "centre:9"], "does not work with --crop"),
        (["--html", "p.html", "--cluster", "tcp://a:1"], "does not work with --cluster"),
    ],
)
def test_pages_that_make_no_sense_are_refused(folder, options, message):
    done = run("deblur", "in", "nowhere", *options, cwd=folder)
    assert done.returncode == 2 and message in " ".join(done.stderr.decode().split())
    assert not (folder / "nowhere").exists()


def test_a_dry_run_writes_no_page(folder):
    assert run("deblur", "in", "nowhere", "--html", "none/p.html", "-n", "-q", cwd=folder).returncode == 0
    assert not (folder / "none").exists()


def test_the_detail_is_where_the_edges_are():
    pixels = np.full((900, 1600, 3), 90, np.uint8)
    pixels[500:700:4, 1000:1300] = 140
    rows, columns = detail(Picture(pixels), 960)
    assert (columns.stop - columns.start, rows.stop - rows.start) == DETAIL
    assert rows.start <= 500 and rows.stop >= 690 and columns.start <= 1000 and columns.stop >= 1300
    assert detail(Picture(pixels), 1600) is None
    small = Picture(pixels[:100, :700, :1])
    assert crops.most_detailed(replace(small), *DETAIL)[0] == slice(0, 100)


def test_compare_shows_any_two_columns(folder, tmp_path):
    for name, shift in (("soft", 0.2), ("out", 0.1), ("ref", 0.0)):
        for picture, level in (("a", 0.5), ("b", 0.3)):
            images.write(tmp_path / name / f"{picture}.png", np.full((16, 16, 3), level + shift, np.float32))
    images.write(tmp_path / "out" / "b.png", np.full((16, 16, 3), 0.31, np.float32))
    images.write(tmp_path / "soft" / "c.png", np.zeros((16, 16, 3), np.float32))
    done = run("compare", "soft", "out", "ref", "--html", "page.html", "-o", "sheet.png", cwd=tmp_path)
    assert done.returncode == 1 and "compare: wrote page.html" in messages(done) and (tmp_path / "sheet.png").exists()
    data, held = told(tmp_path / "page.html")
    assert [row[0] for row in data["rows"]] == ["a", "b"], "the worst first"
    assert [pair[0] for pair in data["pairs"]][:3] == ["soft | out", "out | ref", "soft | ref"]
    facts = dict(data["rows"][0][3])
    assert list(facts) == ["soft", "out"] and facts["out"].endswith("PSNR 20.17 dB") and held == {"a": 3, "b": 3}
    assert len(data["errors"]) == 1 and "c.png" in data["errors"][0]
    done = run("compare", "soft", "out", cwd=tmp_path)
    assert done.returncode == 2 and "name a file for the sheet" in " ".join(done.stderr.decode().split())


def test_compare_takes_two_pictures_and_shows_their_details(folder):
    done = run("compare", "in/sub/moved.png", "in/sub/moved.png", "--html", "two.html", "-q", cwd=folder)
    assert done.returncode == 0, messages(done)
    data, held = told(folder / "two.html")
    assert held == {"moved": 4} and len(data["pairs"]) == 2
