"""`bench pages`: its figures as the command line tells them."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Final

from diet_core.cli.verbs.output import Answer, note, table
from diet_core.errors import SettingError

PAGES: Final = ("desk", "explore", "prune")
# Of a control's figures: the heading, and what is one there.
_COLUMNS: Final = {
    "median": ("median ms", 1),
    "p95": ("p95 ms", 1),
    "whole_p95": ("p95 with browser", 1),
    "max_bytes": ("kB", 1000),
    "max_marks": ("marks", 1),
}


def bench_pages(args: Namespace) -> Answer:
    """Press the keys of the review desk, and use every control of Explore and Prune, in a browser."""
    from bench.pages.pages import ROWS
    from bench.pages.pages import bench_pages as looked_at

    rows = args.rows or ROWS
    result = looked_at(rows, args.rounds or 1, _pages(args.pages), note)
    parts = [_desk(rows, result["desk"])] if "desk" in result else []
    parts += [_controls(page, result[page]) for page in ("explore", "prune") if page in result]
    return Answer({"bench": "pages", "rows": rows} | result, "\n\n".join(parts))


def _pages(names: str | None) -> tuple[str, ...]:
    chosen = PAGES if names is None else tuple(names.split(","))
    for name in chosen:
        if name not in PAGES:
            raise SettingError(f"--pages has {name!r}. Choose some of: {', '.join(PAGES)}.")
    return chosen


def _desk(rows: int, result: dict[str, Any]) -> str:
    first, again = result["card_seconds"]["first"], result["card_seconds"]["again"]
    return "\n".join(
        [
            f"{rows:,} examples, {result['queue']:,} of them in the queue; "
            f"{result['presses']} keys, {result['presses_a_second']:.1f} a second",
            f"on the right example: {result['right_events']} of {result['events']} decisions in the store; "
            f"{result['on_no_example']} keys while the next examples were on their way",
            f"another example painted after: {_spread(result['key_to_painted_ms'])}",
            f"written to the store after: {_spread(result['key_to_committed_ms'])}",
            f"known to the browser as stored after: {_spread(result['key_to_known_ms'])}",
            f"first card after {first:.1f} s, after a refresh {again:.1f} s",
        ]
    )


def _spread(ms: dict[str, float | None]) -> str:
    if ms["median"] is None or ms["p95"] is None:
        return "never"
    return f"{ms['median']:.0f} ms (median), {ms['p95']:.0f} ms (95 of 100)"


def _controls(page: str, result: dict[str, Any]) -> str:
    rows = [
        {"name": name} | {key: f"{figures[key] / unit:,.0f}" for key, (_, unit) in _COLUMNS.items()}
        for name, figures in result["controls"].items()
    ]
    headings = {"name": page} | {key: heading for key, (heading, _) in _COLUMNS.items()}
    above = ", ".join(result["above_bars"]) or "none"
    return f"{table(rows, headings)}\nabove a bar (300 ms, 1 MB, 5,000 marks): {above}"
