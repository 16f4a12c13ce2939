"""Gains, means, worst first, and gates: sums that nothing is read or printed for."""

import math

import pytest

from deblurcli.choices import EACH, MEAN
from deblurcli.errors import GateError
from deblurcli.metrics.table import METRICS
from deblurcli.reports import gates
from deblurcli.reports.gates import OVER, UNDER, Gate, judge, parse
from deblurcli.reports.results import Scored, by_group, summary, text, with_unit, worst_first

INF = math.inf


def rows(key, *values):
    return [Scored(name, {} if value is None else {key: value}) for name, value in zip("abcdefgh", values)]


def test_a_gain_is_positive_where_the_picture_is_better():
    row = Scored("a", {"psnr": 31.0, "mae": 0.01, "ssim": 0.5}, {"psnr": 28.0, "mae": 0.04, "ssim": 0.6})
    assert row.figure("gain-psnr") == 3 and row.figure("gain-mae") == pytest.approx(0.03)
    assert row.figure("gain-ssim") == pytest.approx(-0.1)
    assert row.figure("gain-mse") is None and row.figure("mse") is None
    assert text(row.figure("gain-psnr"), "gain-psnr") == "+3.00" and text(3.0, "psnr") == "3.00"


@pytest.mark.parametrize("value, before, gain", [(INF, 30, INF), (30, INF, -INF), (INF, INF, 0)])
def test_gains_of_infinite_scores(value, before, gain):
    assert Scored("a", {"psnr": value}, {"psnr": before}).figure("gain-psnr") == gain


@pytest.mark.parametrize(
    "values, mean, median, infinite",
    [
        ((1.0, 2.0, 6.0), 3, 2, 0),
        ((1.0, 2.0, INF), INF, 2, 1),
        ((1.0, None, 3.0), 2, 2, 0),
        ((INF, INF), INF, INF, 2),
        ((INF, -INF), math.nan, math.nan, 2),
        ((None,), math.nan, math.nan, 0),
        ((), math.nan, math.nan, 0),
    ],
)
def test_means_and_medians(values, mean, median, infinite):
    found = summary(rows("psnr", *values), "psnr")
    assert (found.mean, found.median) == pytest.approx((mean, median), nan_ok=True)
    assert found.infinite == infinite and found.count == sum(value is not None for value in values)


def test_worst_first_in_either_direction_and_missing_last():
    for key, order in [("psnr", "cbad"), ("mae", "abcd")]:
        assert "".join(row.name for row in worst_first(rows(key, 9.0, 5.0, 1.0, None), key)) == order
    assert "".join(row.name for row in worst_first(rows("psnr", INF, 5.0), "psnr")) == "ba"


def test_groups_are_sorted():
    found = by_group([Scored("a", {}, group="y"), Scored("b", {}, group="x"), Scored("c", {}, group="y")])
    assert {name: [row.name for row in members] for name, members in found.items()} == {"x": ["b"], "y": ["a", "c"]}


def test_texts_of_what_is_no_number():
    assert text(None, "psnr") == "–" and text(INF, "gain-psnr") == "+∞" and text(-INF, "gain-psnr") == "−∞"
    assert (
        text(math.nan, "psnr") == "–"
        and with_unit(None, "psnr") == "–"
        and with_unit(30.0, "psnr") == "30.00 dB"
        and with_unit(0.5, "ssim") == "0.5000"
    )


def test_gates_are_read():
    assert parse("psnr=30, ssim=0.9,gain-mae=0.001", UNDER) == [
        Gate("psnr", 30), Gate("ssim", 0.9), Gate("gain-mae", 0.001),
    ]  # fmt: skip
    assert parse("mae=0.02,gmsd=1e-1", OVER) == [Gate("mae", 0.02), Gate("gmsd", 0.1)] and parse(None, OVER) == []


@pytest.mark.parametrize(
    "text, option, said",
    [
        ("beauty=3", UNDER, "'beauty' is not a metric; choose one of psnr, ssim"),
        ("psnr", UNDER, "psnr needs a number"),
        ("psnr=", UNDER, "psnr needs a number"),
        ("psnr=high", UNDER, "psnr needs a number"),
        ("psnr=nan", UNDER, "psnr needs a number"),
        ("ssim=inf", UNDER, "ssim needs a number"),
        ("", UNDER, "'' is not a metric"),
        ("psnr=30,", UNDER, "'' is not a metric"),
        ("mae=0.02", UNDER, "mae is better when it is lower; write --fail-over mae=0.02"),
        ("psnr=30", OVER, "psnr is better when it is higher; write --fail-under psnr=30"),
        ("gain-mae=0.1", OVER, "gain-mae is better when it is higher; write --fail-under gain-mae=0.1"),
    ],
)
def test_gates_that_make_no_sense_are_refused(text, option, said):
    with pytest.raises(GateError) as raised:
        parse(text, option)
    assert said in str(raised.value) and option in str(raised.value) and "\n" not in str(raised.value)


def test_gates_that_cannot_be_judged_are_refused():
    with pytest.raises(GateError, match="psnr has two limits"):
        gates.check([Gate("psnr", 1), Gate("psnr", 2)], True, True)
    with pytest.raises(GateError, match="psnr needs REF"):
        gates.check([Gate("psnr", 1)], False, True)
    with pytest.raises(GateError, match="needs --baseline"):
        gates.check([Gate("gain-psnr", 1)], True, False)
    gates.check([Gate("sharpness", 1)], False, False)


@pytest.mark.parametrize(
    "values, gate, mean_passes, each_passes, failing",
    [
        ((30.0, 34.0), Gate("psnr", 30), True, True, ""),
        ((28.0, 34.0, 29.0), Gate("psnr", 30), True, False, "ac"),
        ((28.0, 31.0), Gate("psnr", 30), False, False, "a"),
        ((INF, 20.0), Gate("psnr", 30), True, False, "b"),
        ((0.01, 0.03), Gate("mae", 0.02), True, False, "b"),
        ((0.02, 0.04), Gate("mae", 0.02), False, False, "b"),
        ((None, 40.0), Gate("psnr", 30), True, False, "a"),
        ((None,), Gate("psnr", 30), False, False, "a"),
        ((), Gate("psnr", 30), False, False, ""),
    ],
)
def test_gates_are_judged_by_the_mean_or_by_each(values, gate, mean_passes, each_passes, failing):
    for on, passes in ((MEAN, mean_passes), (EACH, each_passes)):
        verdict = judge([gate], rows(gate.key, *values), on)[0]
        assert verdict.passed == passes and "".join(row.name for row in verdict.failing) == failing


def test_every_metric_can_be_a_gate():
    for name, metric in METRICS.items():
        limit = 0.5
        good, bad = (0.6, 0.4) if metric.higher_is_better else (0.4, 0.6)
        gate = parse(f"{name}={limit}", UNDER if metric.higher_is_better else OVER)[0]
        assert gate.passes(good) and gate.passes(limit) and not gate.passes(bad) and not gate.passes(None)
