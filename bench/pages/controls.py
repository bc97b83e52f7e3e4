"""How long Explore and Prune take to answer each of their controls, and what they send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.pages.actions import Act, Scene
from bench.pages.browser import FLAGS, SCREEN, STARTING
from bench.pages.script_runs import ScriptRun, Wire
from bench.rounds import spread
from diet_core.errors import RunFailedError

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROUNDS: Final = 10
OPEN: Final = "opening the page"
MILLISECONDS_BAR: Final = 300.0  # at the 95th percentile
BYTES_BAR: Final = 1_000_000
MARKS_BAR: Final = 5_000
_PATIENCE: Final = 20_000  # milliseconds until a control must be there
_TRIES: Final = 3  # a chart that is still finding its place takes no drag
_ERROR: Final = '[data-testid="stAlertContentError"]'


def visit_controls(
    address: str, browser: str, run_id: str, scenes: Sequence[Scene], times: Path, rounds: int = ROUNDS
) -> dict[str, list[ScriptRun]]:
    """Return what each control of a page brought about, one entry per round.

    Args:
        address: Of the page.
        browser: Its path.
        run_id: What is looked at.
        scenes: What is done.
        times: Where the server notes how long each script run takes.
        rounds: How often all of it is done; once more comes before, which does not count.

    Raises:
        RunFailedError: If a control is not there, does nothing, or brings the page down.
    """
    from playwright.sync_api import sync_playwright

    by_control: dict[str, list[ScriptRun]] = {}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(FLAGS))
        page = chromium.new_context(viewport=SCREEN).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(_PATIENCE)
        wire = Wire(page, times)
        for turn in range(rounds + 1):
            for name, run in played(page, wire, f"{address}?run={run_id}", scenes, turn):
                if turn:
                    by_control.setdefault(name, []).append(run)
        chromium.close()
    return by_control


def played(
    page: Page, wire: Wire, url: str, scenes: Sequence[Scene], turn: int
) -> Iterable[tuple[str, ScriptRun]]:
    """Yield what each control brings about in one round."""
    for scene in scenes:
        yield OPEN, acted(page, wire, OPEN, lambda page, _: page.goto(url), turn)
        for name, act in scene.items():
            yield name, acted(page, wire, name, act, turn)


def acted(page: Page, wire: Wire, name: str, act: Act, turn: int) -> ScriptRun:
    """Do one thing and return what it brought about.

    Raises:
        RunFailedError: If it cannot be done, does nothing, or brings the page down.
    """
    from playwright.sync_api import Error

    run = None
    for more in range(_TRIES):
        try:
            act(page, turn + more)  # what was chosen already does nothing
            run = wire.script_run(1000 * STARTING)
        except (Error, TimeoutError) as error:
            raise RunFailedError(f"{name}, round {turn}: {str(error).splitlines()[0]}") from error
        if run is not None:
            break
    if run is None:
        raise RunFailedError(f"{name}, round {turn}: the page was not run again.")
    if page.locator(_ERROR).count():
        raise RunFailedError(f"{name}, round {turn}: {page.locator(_ERROR).first.inner_text()}")
    return run


def control_figures(runs: Mapping[str, Sequence[ScriptRun]]) -> dict[str, dict[str, Any]]:
    """Return figures per control.

    Returns:
        median and p95 of the script run, milliseconds; whole_median and whole_p95 of all from the browser's
        asking to the end; max_bytes, max_marks (of one chart), max_runs.
    """
    return {
        name: {
            **spread([run.script_milliseconds for run in of_one]),
            **{f"whole_{key}": ms for key, ms in spread([run.milliseconds for run in of_one]).items()},
            "max_bytes": max(run.n_bytes for run in of_one),
            "max_marks": max(max(run.marks, default=0) for run in of_one),
            "max_runs": max(run.runs for run in of_one),
        }
        for name, of_one in runs.items()
    }


def above_bars(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the controls that are too slow, send too much or draw too many marks.

    >>> above_bars({"score": {"p95": 301.0, "max_bytes": 10, "max_marks": 60}})
    ['score']
    """
    bars: dict[str, float] = {"p95": MILLISECONDS_BAR, "max_bytes": BYTES_BAR, "max_marks": MARKS_BAR}
    return [name for name, of_one in figures.items() if any(of_one[what] > bar for what, bar in bars.items())]
