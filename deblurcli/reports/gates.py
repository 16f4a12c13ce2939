"""Gates: bounds on scores that a script can rely on, such as ``psnr=30,ssim=0.9``. Nothing here reads or prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deblurcli.choices import MEAN
from deblurcli.errors import GateError
from deblurcli.metrics.table import METRICS
from deblurcli.reports.results import GAIN, Scored, is_better_higher, summary, with_unit, worst_first

UNDER, OVER = "--fail-under", "--fail-over"


@dataclass(frozen=True)
class Gate:
    """A bound on a figure; on which side of it is worse, the figure's direction says.

    key: of `table.METRICS`, or ``gain-`` and such a key.
    """

    key: str
    limit: float

    @property
    def name(self) -> str:
        """The metric's."""
        return self.key.removeprefix(GAIN)

    def passes(self, value: float | None) -> bool:
        """Whether a figure is good enough; the limit itself is, a missing figure is not."""
        if value is None or math.isnan(value):
            return False
        return value >= self.limit if is_better_higher(self.key) else value <= self.limit

    def bound(self) -> str:
        """What it asks for, in words."""
        return f"{'at least' if is_better_higher(self.key) else 'at most'} {self.limit:g}"


@dataclass(frozen=True)
class Verdict:
    """How a gate was passed, or not.

    on: `MEAN` or `EACH`. mean: of the figure. failing: the rows beyond the limit, worst first, also where the mean
    is what counts.
    """

    gate: Gate
    on: str
    passed: bool
    mean: float
    failing: tuple[Scored, ...]

    def text(self) -> str:
        """The verdict in a line."""
        mean = f"the mean {self.gate.key} is {with_unit(self.mean, self.gate.key)}, and must be {self.gate.bound()}"
        wanted = mean if self.on == MEAN else f"each {self.gate.key} must be {self.gate.bound()}"
        count = len(self.failing)
        return f"{wanted}; {count or 'no'} {'picture misses' if count == 1 else 'pictures miss'} it"


def parse(text: str | None, option: str) -> list[Gate]:
    """The gates of ``NAME=NUMBER,NAME=NUMBER``; option is `UNDER` or `OVER`.

    Raises GateError for an unknown metric, no number, or a bound on the side on which the metric is better.
    """
    return [_parsed(part.strip(), option) for part in text.split(",")] if text is not None else []


def _parsed(part: str, option: str) -> Gate:
    key, sign, number = (piece.strip() for piece in part.partition("="))
    if key.removeprefix(GAIN) not in METRICS:
        raise GateError(
            f"{option} {part}: {key!r} is not a metric; choose one of {', '.join(METRICS)}, or {GAIN}psnr and so on"
        )
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not sign or not math.isfinite(limit):
        raise GateError(f"{option} {part}: {key} needs a number, such as {key}=0.9")
    if is_better_higher(key) != (option == UNDER):
        better, other = ("higher", UNDER) if is_better_higher(key) else ("lower", OVER)
        raise GateError(f"{option} {part}: {key} is better when it is {better}; write {other} {key}={number}")
    return Gate(key, limit)


def check(gates: Sequence[Gate], has_sharp: bool, has_baseline: bool) -> None:
    """Refuse gates that cannot be judged, and two on one figure. Raises GateError."""
    keys = [gate.key for gate in gates]
    for gate in gates:
        if keys.count(gate.key) > 1:
            raise GateError(f"{gate.key} has two limits; give only one")
        if METRICS[gate.name].needs_sharp and not has_sharp:
            raise GateError(f"{gate.key}={gate.limit:g}: {gate.name} needs REF; name the sharp pictures")
        if gate.key != gate.name and not has_baseline:
            raise GateError(f"{gate.key}={gate.limit:g}: a gain needs --baseline; name the blurred pictures")


def judge(gates: Sequence[Gate], rows: Sequence[Scored], on: str = MEAN) -> list[Verdict]:
    """How every gate is passed, by the mean or by each row.

    Where there are no rows, or none has the figure, no gate is passed.

    >>> judge([Gate("psnr", 30)], [Scored("a", {"psnr": 28.0}), Scored("b", {"psnr": 34.0})])[0].passed
    True
    """
    return [_verdict(gate, rows, on) for gate in gates]


def _verdict(gate: Gate, rows: Sequence[Scored], on: str) -> Verdict:
    mean = summary(rows, gate.key).mean
    failing = tuple(worst_first((row for row in rows if not gate.passes(row.figure(gate.key))), gate.key))
    return Verdict(gate, on, bool(rows) and (gate.passes(mean) if on == MEAN else not failing), mean, failing)
