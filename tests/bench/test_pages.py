"""`bench pages`: what its figures count, the workspace that it makes, and what it asks for."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest

from bench.pages.browser import Press, Visit, browser_path
from bench.pages.pages import figures
from bench.synthetic.workspace import COLLEAGUE, RUN_ID, make_workspace
from diet_core.errors import SettingError
from diet_core.review.cards import card_facts, load_card_data
from diet_core.store.decisions.decisions import list_effective_decisions
from diet_core.store.decisions.queues import QueueDefinition, open_queue

NOON = 1_795_348_800_000.0  # 2026-11-22, in milliseconds since 1970


def pressed(*keys: str, painted: float | None = 20.0) -> Visit:
    """Keys on the examples a, b, c, … at ten a second."""
    presses = [Press(key, "abcdef"[i], NOON + 100 * i, painted, 200.0) for i, key in enumerate(keys)]
    return Visit({"first": 3.0, "again": 1.0}, 500, len(keys) / 10, tuple(presses))


def stored(*decisions: tuple[str, str], after: float = 50.0) -> pd.DataFrame:
    """Decisions on examples, written so many milliseconds after the press of the same number."""
    times = pd.to_datetime([NOON + 100 * i + after for i in range(len(decisions))], unit="ms", utc=True)
    frame = pd.DataFrame(decisions, columns=["example_id", "action"])
    return frame.assign(decided_at=times.as_unit("us"))


def test_figures_of_a_visit_without_a_fault():
    found = figures(pressed("k", "s", "d"), stored(("a", "keep"), ("b", "relabel"), ("c", "drop")))
    assert found == {
        "queue": 500,
        "presses": 3,
        "presses_a_second": pytest.approx(10),
        "on_no_example": 0,
        "painted": 3,
        "events": 3,
        "right_events": 3,
        "card_seconds": {"first": 3.0, "again": 1.0},
        "key_to_painted_ms": {"median": 20.0, "p95": 20.0},
        "key_to_committed_ms": {"median": pytest.approx(50), "p95": pytest.approx(50)},
        "key_to_known_ms": {"median": 200.0, "p95": 200.0},
    }


@pytest.mark.parametrize(
    ("decisions", "events", "right"),
    [
        ([("a", "keep"), ("c", "drop")], 2, 1),  # one is lost
        ([("b", "relabel"), ("a", "keep"), ("c", "drop")], 3, 1),  # two have changed places
        ([("a", "keep"), ("b", "drop"), ("c", "drop")], 3, 2),  # another action
        ([("a", "keep"), ("a", "keep"), ("b", "relabel"), ("c", "drop")], 4, 1),  # one is there twice
        ([], 0, 0),
    ],
)
def test_figures_count_what_is_on_the_wrong_example(decisions, events, right):
    found = figures(pressed("k", "s", "d"), stored(*decisions))
    assert (found["events"], found["right_events"]) == (events, right)


def test_a_press_while_no_example_is_there_decides_nothing():
    seen = pressed("k", "s", "d")
    waited = dataclasses.replace(seen.presses[1], before="", painted=900.0, known=None)
    seen = dataclasses.replace(seen, presses=(seen.presses[0], waited, seen.presses[2]))
    found = figures(seen, stored(("a", "keep"), ("c", "drop")))
    assert (found["on_no_example"], found["painted"]) == (1, 2)
    assert (found["events"], found["right_events"]) == (2, 2)
    assert found["key_to_painted_ms"]["p95"] == 20.0


def test_figures_tell_that_nothing_was_painted():
    found = figures(pressed("k", "s", painted=None), stored(("a", "keep"), ("b", "relabel")))
    assert found["painted"] == 0
    assert found["key_to_painted_ms"] == {"median": None, "p95": None}


def test_the_workspace_has_suspects_a_run_s_files_and_a_colleague_s_decisions(store):
    make_workspace(store, 2_000)
    queue = open_queue(store, QueueDefinition(RUN_ID))
    assert 110 < len(queue.example_ids) < 400
    assert list_effective_decisions(store, "made-v1")["reviewer"].tolist() == [COLLEAGUE] * 100
    facts = load_card_data(store, RUN_ID)
    assert facts.n_searched == 2_000
    (card,) = card_facts(store, RUN_ID, queue.example_ids[:1], facts)
    assert card["votes"]["n"] == 5
    assert len(card["neighbours"]) == 5
    assert np.isclose(sum(probability for _, probability in card["classes"]), 1, atol=1e-4)


def test_bench_pages_refuses_what_it_cannot_do(refused):
    assert "Give at least 2,000" in refused("bench", "pages", "--rows", "500")
    assert "not to bench pages" in refused("bench", "pages", "--dataset", "tweets")


def test_bench_pages_without_a_browser_says_what_to_install(monkeypatch):
    pytest.importorskip("playwright")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingError, match=r"No browser was found .* Install Chromium"):
        browser_path()


def test_bench_pages_without_playwright_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(SettingError, match=r"pip install -r requirements-dev\.txt"):
        browser_path()
