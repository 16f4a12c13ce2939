"""What people and programs see of scores: a table, JSON or CSV on stdout, gates and errors on stderr."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from deblurcli.metrics.table import METRICS
from deblurcli.reports.gates import Verdict
from deblurcli.reports.results import GAIN, Results, Scored, by_group, summary, text, with_unit, worst_first
from deblurcli.reports.scoring import Run
from deblurcli.terminal.messages import INTERRUPTED, MOST_ERRORS, OK, PARTLY, emit, fits, list_errors, say
from deblurcli.terminal.progress import follow

WORST = 5
TABLE, JSON, CSV = "table", "json", "csv"


def scored(run: Run, form: str = TABLE, quiet: bool = False) -> int:
    """Watch a run of scoring to its end, show what came of it, and return the exit code.

    form: what goes to stdout, `TABLE`, `JSON` or `CSV`; no table when quiet. Nothing is shown of an interrupted run.
    """
    try:
        results, verdicts = run.results(follow(run.batch, "score", quiet))
    except KeyboardInterrupt:
        say("score: interrupted")
        return INTERRUPTED
    if form != TABLE:
        emit({JSON: as_json, CSV: as_csv}[form](results, verdicts))
    elif results.rows and not quiet:
        _show(results)
    list_errors(results.errors)
    for verdict in verdicts:
        _tell(verdict, quiet)
    if not quiet:
        _summarise(results, run)
    return PARTLY if results.errors or not all(verdict.passed for verdict in verdicts) else OK


def _tell(verdict: Verdict, quiet: bool) -> None:
    """Whether a gate is passed; the rows beyond its limit where it is not."""
    if verdict.passed:
        if not quiet:
            say(f"gate passed: {verdict.text()}")
        return
    say(f"gate failed: {verdict.text()}")
    key = verdict.gate.key
    for row in verdict.failing[:MOST_ERRORS]:
        say(f"  {with_unit(row.figure(key), key)}  {row.name}")
    if len(verdict.failing) > MOST_ERRORS:
        say(f"  … and {len(verdict.failing) - MOST_ERRORS} more")


def _summarise(results: Results, run: Run) -> None:
    """What the numbers do not tell by themselves."""
    what = "pairs" if run.places.sharp is not None else "pictures"
    for name in results.names:
        found = summary(results.rows, name)
        if found.infinite:
            equal = f"{found.infinite} of {found.count} {what} are identical"
            say(f"score: {equal}: their {name} is infinite, and so is the mean")
    if results.errors or results.missing:
        lost = f", {results.missing} without a partner" if results.missing else ""
        say(f"score: {len(results.rows)} of {results.total} {what} scored{lost}")
    if run.options.html is not None:
        say(f"score: wrote {run.options.html}")


def _heading(key: str) -> str:
    unit = METRICS[key.removeprefix(GAIN)].unit
    if key.startswith(GAIN):
        return "gain"
    return f"{key} ({unit})" if unit else key


def _show(results: Results) -> None:
    """As many columns as fit, as a number that is cut is a wrong one; what is missing is told."""
    build, keys = _groups_table if results.grouped else _table, list(results.keys)
    shown = next((count for count in range(len(keys), 1, -1) if fits(build(results, keys[:count]))), 1)
    emit(build(results, keys[:shown]))
    if shown < len(keys):
        say(f"score: {len(keys) - shown} more columns do not fit; widen the window, or use --csv or --html")


def _table(results: Results, keys: Sequence[str]) -> Table:
    """The worst few pictures by the first metric, the mean and the median of all."""
    count = len(results.rows)
    title = f"the {WORST} worst of {count} by {results.names[0]}" if count > WORST else None
    table = Table(Column("picture", overflow="fold"), title=title, box=SIMPLE_HEAD)
    for key in keys:
        table.add_column(_heading(key), justify="right", no_wrap=True)
    for row in worst_first(results.rows, results.names[0])[:WORST]:
        table.add_row(row.name, *(text(row.figure(key), key) for key in keys))
    if count > 1:
        table.add_section()
        summaries = {key: summary(results.rows, key) for key in keys}
        table.add_row(f"mean of {count}", *(text(found.mean, key) for key, found in summaries.items()))
        table.add_row("median", *(text(found.median, key) for key, found in summaries.items()))
    return table


def _groups_table(results: Results, keys: Sequence[str]) -> Table:
    """The means of every group."""
    table = Table(Column("group", overflow="fold"), Column("pictures", justify="right", no_wrap=True), box=SIMPLE_HEAD)
    for key in keys:
        table.add_column(_heading(key), justify="right", no_wrap=True)
    for group, members in by_group(results.rows).items():
        means = ((key, summary(members, key).mean) for key in keys)
        table.add_row(group, str(len(members)), *(text(mean, key) for key, mean in means))
    return table


def as_json(results: Results, verdicts: Sequence[Verdict]) -> str:
    """Scores as JSON holds them: an infinite one is null, and its name stands in "infinite"."""
    fields = {
        "pairs": len(results.rows),
        "failed": results.total - len(results.rows),
        "missing": results.missing,
        "convention": results.convention,
        "crop_border": results.crop_border,
        **_means(results.rows, results),
        "groups": {
            name: {"pairs": len(members), **_means(members, results)}
            for name, members in (by_group(results.rows) if results.grouped else {}).items()
        },
        "gates": [_gate(verdict) for verdict in verdicts],
        "files": [_file(row, results) for row in results.rows],
        "errors": list(results.errors),
    }
    return json.dumps(fields, indent=2)


def _means(rows: Sequence[Scored], results: Results) -> dict:
    """Means and medians by figure, null where infinite, and of how many rows a figure is infinite."""
    found = {key: summary(rows, key) for key in results.keys if rows}
    return {
        "mean": {key: _finite(each.mean) for key, each in found.items()},
        "median": {key: _finite(each.median) for key, each in found.items()},
        "infinite": {key: each.infinite for key, each in found.items() if each.infinite},
    }


def _file(row: Scored, results: Results) -> dict:
    """One picture: its scores, those of its baseline, its gains, and which figures are infinite."""
    figures = {key: row.figure(key) for key in results.keys}
    known = {key: value for key, value in figures.items() if value is not None}
    fields = {"name": row.name, **{name: _finite(row.values.get(name)) for name in results.names}}
    if results.has_baseline:
        fields["baseline"] = {name: _finite(value) for name, value in row.baseline.items()}
        fields["gain"] = {key.removeprefix(GAIN): _finite(known[key]) for key in known if key.startswith(GAIN)}
    if results.grouped:
        fields["group"] = row.group
    return {**fields, "infinite": [key for key, value in known.items() if math.isinf(value)]}


def _gate(verdict: Verdict) -> dict:
    key = verdict.gate.key
    return {
        "metric": key,
        "limit": verdict.gate.limit,
        "on": verdict.on,
        "passed": verdict.passed,
        "mean": _finite(verdict.mean),
        "failing": [{"name": row.name, key: _finite(row.figure(key))} for row in verdict.failing],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def as_csv(results: Results, _: Sequence[Verdict] = ()) -> str:
    """A line for every picture that was scored, by name, below a line of titles.

    Columns: name; group, where there are groups; each metric, followed by ``baseline-NAME`` and ``gain-NAME`` where
    there is a baseline. An infinite score is ``inf``, one that is missing is empty.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    before = ("baseline-",) if results.has_baseline else ()
    kinds = ("", *before, *((GAIN,) if results.has_baseline else ()))
    writer.writerow(["name", *(["group"] if results.grouped else []), *(k + n for n in results.names for k in kinds)])
    for row in results.rows:
        figures = (_figures(row, name, results.has_baseline) for name in results.names)
        cells = ["" if value is None else repr(value) for each in figures for value in each]
        writer.writerow([row.name, *([row.group] if results.grouped else []), *cells])
    return lines.getvalue().rstrip("\n")


def _figures(row: Scored, name: str, has_baseline: bool) -> list[float | None]:
    value = row.values.get(name)
    return [value, row.baseline.get(name), row.figure(GAIN + name)] if has_baseline else [value]
