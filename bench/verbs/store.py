"""`bench store`: its figures as the command line tells them."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from diet_core.cli.verbs.output import Answer, note, table


def bench_store(args: Namespace) -> Answer:
    """Time what pages ask of the store, at sizes that grow tenfold."""
    from bench.store.store import ROUNDS, ROWS
    from bench.store.store import bench_store as timed

    result = timed(args.rows or ROWS, args.rounds or ROUNDS, note)
    return Answer({"bench": "store", "rows": args.rows or ROWS} | result, _text(result))


def _text(result: dict[str, Any]) -> str:
    sizes, growth = result["sizes"], result["growth"]
    names = next(iter(sizes.values()))["operations"]
    rows = [
        {"name": name, "growth": growth and f"{growth['operations'][name]:.1f} ×"}
        | {size: _spread(of_size["operations"][name]) for size, of_size in sizes.items()}
        for name in names
    ]
    headings = {size: f"{int(size):,}" for size in sizes}
    lines = [_ingest(size, of_size["ingest"]) for size, of_size in sizes.items()]
    grown = [] if growth is None else [_growth(growth)]
    columns = {"name": "median (p95) in ms", **headings, **({"growth": "growth"} if growth else {})}
    return "\n".join([*lines, table(rows, columns), *grown])


def _spread(ms: dict[str, float]) -> str:
    return f"{ms['median']:,.1f} ({ms['p95']:,.1f})"


def _ingest(size: str, ingest: dict[str, Any] | None) -> str:
    if ingest is None:
        return f"{int(size):,} examples: the run is not loaded but made within the store"
    peak = "" if ingest["peak_mb"] is None else f", {ingest['peak_mb']:,.0f} MB of memory at most"
    return f"{int(size):,} examples: the run is loaded in {ingest['seconds']:.1f} s{peak}"


def _growth(growth: dict[str, Any]) -> str:
    name, most = max(growth["operations"].items(), key=lambda item: item[1])
    loading = "" if growth["ingest"] is None else f"; loading {growth['ingest']:.1f} times"
    return (
        f"From {growth['rows']:,} to {growth['to']:,} examples the most any operation grows is "
        f"{most:.1f} times ({name}){loading}."
    )
