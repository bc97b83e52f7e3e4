"""docs/performance.py: tables from the benchmarks' JSON, and the page that holds them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> dict:
    return runpy.run_path(str(DOCS / "performance.py"))


STORE = {
    "sizes": {
        "100000": {
            "ingest": {"seconds": 2.04, "peak_mb": 512.4},
            "database_mb": 60.2,
            "operations": {"count": {"median": 1.24, "p95": 2.0}},
        },
        "1000000": {
            "ingest": None,
            "database_mb": 1600.0,
            "operations": {"count": {"median": 10.0, "p95": 1200.0}},
        },
    },
    "growth": {"operations": {"count": 8.06}},
}


def test_sizes_stand_with_loading_memory_and_database(script):
    assert script["ingest_table"](STORE).splitlines()[2:] == [
        "| 100,000 | 2.0 | 512 | 60 |",
        "| 1,000,000 | not loaded | – | 1,600 |",
    ]


def test_operations_stand_with_each_size_and_their_growth(script):
    assert script["operations_table"](STORE).splitlines() == [
        "| operation, ms | 100,000 | 1,000,000 | times as long |",
        "| --- | ---: | ---: | ---: |",
        "| count | 1.2 (2.0) | 10.0 (1,200.0) | 8.1 |",
    ]


def test_one_size_alone_has_no_growth(script):
    one = {"sizes": {"100000": STORE["sizes"]["100000"]}, "growth": None}
    assert script["operations_table"](one).splitlines()[2] == "| count | 1.2 (2.0) |"


def test_controls_stand_with_times_bytes_and_marks(script):
    times = {"median": 99.6, "p95": 250.2, "whole_median": 120.4, "whole_p95": 270.0}
    figures = times | {"max_bytes": 50_400, "max_marks": 2853}
    found = {"controls": {"score": figures}}
    assert script["controls_table"](found).splitlines()[2] == "| score | 100 | 250 | 120 | 270 | 50 | 2,853 |"


def test_tables_take_the_place_of_the_former_ones(script):
    page = "a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\n<!-- end -->\n"
    found = script["written"](page, {"x": "new", "y": "other"})
    assert found == "a\n<!-- x -->\nnew\n<!-- end -->\nb\n<!-- y -->\nother\n<!-- end -->\n"


def test_the_page_has_a_place_for_every_table():
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    assert [
        name for name in ("ingest", "operations", "explore", "prune") if f"<!-- {name} -->" not in page
    ] == []
