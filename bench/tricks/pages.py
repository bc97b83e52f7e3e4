"""What tricks of store and pages give: two servers side by side, one of them without, asked in turn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.pages.browser import FLAGS, SCREEN, TIMED_SERVER, browser_path, served, times_of
from bench.pages.controls import MILLISECONDS_BAR, played
from bench.pages.script_runs import ScriptRun, Wire
from bench.rounds import Rounds
from bench.synthetic.workspace import RUN_ID, make_workspace
from bench.tricks.switches import PAGE_TRICKS
from diet_core.config import Workspace
from diet_core.store.store import open_store

if TYPE_CHECKING:
    from playwright.sync_api import Page

WITH, WITHOUT = "with", "without"
_PATIENCE: Final = 30_000  # milliseconds until a control must be there

Runs = dict[str, dict[str, list[ScriptRun]]]  # by control and way


def bench_page_tricks(
    rows: int, names: Sequence[str], rounds: int, on_step: Callable[[str], None] = print
) -> dict[str, Any]:
    """Return what each trick gives to the controls that it is there for.

    Args:
        rows: Examples of the made-up workspace.
        names: Some of `PAGE_TRICKS`.
        rounds: How often each control is used each way; once more comes before.
        on_step: Told what comes next.

    Returns:
        By trick and control the figures of `gain`.

    Raises:
        SettingError: If there is no browser.
        RunFailedError: If a control does not answer.
    """
    browser = browser_path()
    with tempfile.TemporaryDirectory() as folder:
        workspaces = {way: Workspace(Path(folder) / way) for way in (WITH, WITHOUT)}
        on_step(f"making a workspace of {rows:,} examples")
        with open_store(workspaces[WITH]) as store:
            make_workspace(store, rows)
        # A database belongs to one process.
        shutil.copytree(workspaces[WITH].root, workspaces[WITHOUT].root)
        found = {}
        for name in names:
            on_step(f"{name}: {rounds} rounds with and without")
            runs = _side_by_side(workspaces, name, browser, rounds)
            found[name] = {control: gain(ways) for control, ways in runs.items()}
    return found


def gain(ways: dict[str, list[ScriptRun]]) -> dict[str, Any]:
    """Return what a trick gives to a control.

    Args:
        ways: The script runs, by `WITH` and `WITHOUT`, an entry per round.

    Returns:
        with and without: median and p95 of the script run in milliseconds; processor: how many times the
        processor's time it is without (median of the rounds' ratios, low, high); is_needed: whether the
        control would be over its bar without, and a tenth slower.
    """
    figures = {way: _spread([run.script_milliseconds for run in runs]) for way, runs in ways.items()}
    processor = Rounds({way: [run.processor_milliseconds for run in runs] for way, runs in ways.items()})
    p95, without = figures[WITH]["p95"], figures[WITHOUT]["p95"]
    is_needed = without > MILLISECONDS_BAR and without - p95 >= 0.1 * without
    return figures | {"processor": processor.ratio(WITHOUT, WITH), "is_needed": is_needed}


def _spread(milliseconds: list[float]) -> dict[str, float]:
    return {"median": float(np.median(milliseconds)), "p95": float(np.percentile(milliseconds, 95))}


def _side_by_side(workspaces: dict[str, Workspace], name: str, browser: str, rounds: int) -> Runs:
    """Return the script runs of a trick's controls; the order of the ways turns around every round."""
    trick, found = PAGE_TRICKS[name], Runs()
    with _tabs(workspaces, name, browser) as tabs:
        for turn in range(rounds + 1):
            for way in list(tabs)[:: -1 if turn % 2 else 1]:
                page, wire, address = tabs[way]
                for control, run in played(page, wire, address, [trick.scene], turn):
                    if turn:
                        found.setdefault(control, {}).setdefault(way, []).append(run)
    return found


@contextmanager
def _tabs(
    workspaces: dict[str, Workspace], name: str, browser: str
) -> Iterator[dict[str, tuple[Page, Wire, str]]]:
    """Yield a tab of one browser per way, who listens to it, and the address of its server."""
    from playwright.sync_api import sync_playwright

    servers = {WITH: TIMED_SERVER, WITHOUT: ("bench.tricks.server", name)}
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(executable_path=browser, args=list(FLAGS))
        tabs = {}
        for way, workspace in workspaces.items():
            log = workspace.root.with_suffix(".log")
            address = stack.enter_context(served(workspace, log, servers[way]))
            page = chromium.new_context(viewport=SCREEN).new_page()  # type: ignore[arg-type]
            page.set_default_timeout(_PATIENCE)
            tabs[way] = (page, Wire(page, times_of(log)), f"{address}/{PAGE_TRICKS[name].page}?run={RUN_ID}")
        yield tabs
        chromium.close()
