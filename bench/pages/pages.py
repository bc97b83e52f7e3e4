"""`bench pages`: how fast Explore, Prune and the desk answer, and whether the desk keeps what it is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from itertools import compress
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bench.pages.browser import KEYS, WARM_UP, Press, Visit, browser_path, served, times_of, visit
from bench.pages.controls import ROUNDS as CONTROL_ROUNDS
from bench.pages.controls import above_bars, control_figures, visit_controls
from bench.pages.scenes import SCENES
from bench.rounds import spread
from bench.synthetic.workspace import COLLEAGUE, RUN_ID, check_rows, make_workspace
from diet_core.config import Workspace
from diet_core.store.decisions.decisions import list_effective_decisions
from diet_core.store.loading.runs import read_run
from diet_core.store.store import open_store

ROWS: Final = 100_000
PRESSES: Final = 100


def bench_pages(
    rows: int = ROWS,
    rounds: int = 1,
    pages: Sequence[str] = ("desk", "explore", "prune"),
    on_step: Callable[[str], None] = print,
    presses: int = PRESSES,
) -> dict[str, Any]:
    """Return how the review desk does under ten keys a second, and how long Explore and Prune take to answer.

    A workspace of its own is made, served, and looked at in Chromium at 1280×720.

    Args:
        rows: Examples in the store.
        rounds: How often everything is done.
        pages: Which of desk, explore and prune.
        on_step: Told what comes next.
        presses: Keys of a round of the desk that count; ten more warm up.

    Returns:
        By page: the desk's `figures`; of the others `controls` (as `control_figures`) and `above_bars`.

    Raises:
        SettingError: If `rows` is too small, or there is no browser.
        RunFailedError: If a control does not answer.
    """
    check_rows(rows)
    browser, figures_by_page = browser_path(), {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        on_step(f"making a workspace of {rows:,} examples")
        with open_store(workspace) as store:
            make_workspace(store, rows)
        log = Path(folder) / "app.log"
        if "desk" in pages:
            figures_by_page["desk"] = _desk(workspace, browser, log, rounds * presses, on_step)
        for page in [page for page in SCENES if page in pages]:
            on_step(f"using every control of {page}")
            with served(workspace, log) as address:
                to, turns = f"{address}/{page}", rounds * CONTROL_ROUNDS
                runs = visit_controls(to, browser, RUN_ID, SCENES[page], times_of(log), turns)
            controls = control_figures(runs)
            figures_by_page[page] = {"controls": controls, "above_bars": above_bars(controls)}
    return figures_by_page


def _desk(
    workspace: Workspace, browser: str, log: Path, presses: int, on_step: Callable[[str], None]
) -> dict[str, Any]:
    on_step(f"pressing {presses} keys")
    with served(workspace, log) as address:
        seen = visit(address, browser, RUN_ID, presses)
    with open_store(workspace) as store:
        decisions = list_effective_decisions(store, read_run(store, RUN_ID).dataset.dataset_id)
    return figures(seen, decisions[decisions["reviewer"] != COLLEAGUE][WARM_UP:])


def figures(seen: Visit, stored: pd.DataFrame) -> dict[str, Any]:
    """Return what a visit comes to.

    Args:
        seen: The visit.
        stored: The decisions that came of its presses, in their order; columns example_id, action,
            decided_at.

    Returns:
        queue: examples in it; presses, presses_a_second; on_no_example: presses while the next examples were
        still on their way, which decide nothing and count no further; painted: how many of the others brought
        another example; events: decisions in the store; right_events: those on the example that was painted
        before the press of the same number, with that key's action; card_seconds; and in milliseconds
        (median, p95) key_to_painted,
        key_to_committed (to the time that the store notes for the decision, right before it writes it) and
        key_to_known (to the answer in the browser, the upper bound of it).
    """
    presses = [press for press in seen.presses if press.before]
    what = zip(stored["example_id"], stored["action"], strict=True)
    is_right = [said == (press.before, KEYS[press.key]) for press, said in zip(presses, what, strict=False)]
    times = stored["decided_at"].astype("datetime64[us, UTC]").astype("int64") / 1000
    delays = [time - press.at for press, time in zip(presses, times, strict=False)]
    return {
        "queue": seen.n_queue,
        "presses": len(seen.presses),
        "presses_a_second": len(seen.presses) / seen.seconds,
        "on_no_example": len(seen.presses) - len(presses),
        "painted": len(_times(presses, "painted")),
        "events": len(stored),
        "right_events": sum(is_right),
        "card_seconds": seen.card_seconds,
        "key_to_painted_ms": spread(_times(presses, "painted")),
        "key_to_committed_ms": spread(list(compress(delays, is_right))),
        "key_to_known_ms": spread(_times(presses, "known")),
    }


def _times(presses: Sequence[Press], name: str) -> list[float]:
    return [time for press in presses if (time := getattr(press, name)) is not None]
