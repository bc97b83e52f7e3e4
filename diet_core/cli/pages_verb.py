"""`bench pages`: its figures as the command line tells them."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from diet_core.cli.output import Answer, note


def bench_pages(args: Namespace) -> Answer:
    """Press the keys of the review desk in a browser."""
    from diet_core.bench.pages import PRESSES, ROWS
    from diet_core.bench.pages import bench_pages as pressed

    rows = args.rows or ROWS
    found = pressed(rows, PRESSES * (args.rounds or 1), note)
    return Answer({"bench": "pages", "rows": rows} | found, _text(rows, found))


def _text(rows: int, found: dict[str, Any]) -> str:
    first, again = found["card_seconds"]["first"], found["card_seconds"]["again"]
    return "\n".join(
        [
            f"{rows:,} examples, {found['queue']:,} of them in the queue; "
            f"{found['presses']} keys, {found['presses_a_second']:.1f} a second",
            f"on the right example: {found['right_events']} of {found['events']} decisions in the store; "
            f"{found['on_no_example']} keys while the next examples were on their way",
            f"another example painted after: {_spread(found['key_to_painted_ms'])}",
            f"written to the store after: {_spread(found['key_to_committed_ms'])}",
            f"known to the browser as stored after: {_spread(found['key_to_known_ms'])}",
            f"first card after {first:.1f} s, after a refresh {again:.1f} s",
        ]
    )


def _spread(ms: dict[str, float | None]) -> str:
    if ms["median"] is None or ms["p95"] is None:
        return "never"
    return f"{ms['median']:.0f} ms (median), {ms['p95']:.0f} ms (95 of 100)"
