"""Writes the tables of performance.md from what the benchmarks found, which lies beside it as JSON.

One command measures and writes everything, on a machine that does nothing else meanwhile: `make performance`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE / "performance.md"


def written(page: str, tables: dict[str, str]) -> str:
    r"""Return a page whose parts between the marks of a table hold that table.

    >>> written("a\n<!-- x -->\nold\n<!-- end -->\nb", {"x": "new"})
    'a\n<!-- x -->\nnew\n<!-- end -->\nb'
    """
    for name, table in tables.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = between.sub(lambda marks, table=table: f"{marks[1]}{table}\n{marks[2]}", page)
    return page


def ingest_table(found: dict[str, Any]) -> str:
    """Return a row per size of `bench store`: loading, memory, database."""
    rows = [_ingest_row(size, of_size) for size, of_size in found["sizes"].items()]
    return markdown(("examples", "run loaded in, s", "memory at most, MB", "database, MB"), rows)


def _ingest_row(size: str, of_size: dict[str, Any]) -> list[str]:
    ingest = of_size["ingest"]
    loaded = (
        ["not loaded", "–"] if ingest is None else [f"{ingest['seconds']:.1f}", _whole(ingest["peak_mb"])]
    )
    return [f"{int(size):,}", *loaded, _whole(of_size["database_mb"])]


def operations_table(found: dict[str, Any]) -> str:
    """Return a row per operation of `bench store`: median and 95th percentile at each size, and growth."""
    sizes, growth = found["sizes"], found["growth"]
    names = next(iter(sizes.values()))["operations"]
    rows = [
        [name, *(_spread(of_size["operations"][name]) for of_size in sizes.values())]
        + ([] if growth is None else [f"{growth['operations'][name]:.1f}"])
        for name in names
    ]
    headings = [f"{int(size):,}" for size in sizes]
    return markdown(["operation, ms", *headings, *([] if growth is None else ["times as long"])], rows)


def controls_table(found: dict[str, Any]) -> str:
    """Return a row per control of a page of `bench pages`."""
    rows = [
        [
            name,
            f"{figures['median']:.0f}",
            f"{figures['p95']:.0f}",
            f"{figures['whole_median']:.0f}",
            f"{figures['whole_p95']:.0f}",
            f"{figures['max_bytes'] / 1000:.0f}",
            _whole(figures["max_marks"]),
        ]
        for name, figures in found["controls"].items()
    ]
    times = ("script run, ms", "95th percentile", "with the browser, ms", "95th percentile")
    return markdown(("control", *times, "kB at most", "marks at most"), rows)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; all columns but the first stand at the right."""
    line = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, line, *rows))


def _spread(ms: dict[str, float]) -> str:
    return f"{ms['median']:,.1f} ({ms['p95']:,.1f})"


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / f"performance-{name}.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    store, pages = _read("store"), _read("pages")
    tables = {
        "ingest": ingest_table(store),
        "operations": operations_table(store),
        "explore": controls_table(pages["explore"]),
        "prune": controls_table(pages["prune"]),
    }
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
