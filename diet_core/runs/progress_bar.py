"""A run's progress on standard error, for the command line and for notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from diet_core.runs import executor
from diet_core.runs.folder import RunFolder
from diet_core.runs.record import RunStatus

_BAR: Final = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} steps{postfix}"
# In a log file each redrawing is a line more.
_SECONDS_BETWEEN_LOG_LINES: Final = 15


def show_progress(folder: RunFolder, is_shown: bool = True) -> None:
    """Wait for a run with a progress bar on standard error.

    Raises:
        RunFailedError: If it failed.
        RunCancelledError: If it was cancelled or interrupted; interrupting this wait cancels the run.
    """
    from tqdm.auto import tqdm

    with tqdm(disable=not is_shown, bar_format=_BAR) as bar:
        try:
            executor.follow(folder, _bar_updater(bar))
        except KeyboardInterrupt:
            executor.stop_and_wait(folder)
            executor.follow(folder)
            raise


def _bar_updater(bar: Any) -> Callable[[RunStatus], None]:
    pause = 0 if sys.stderr.isatty() or "ipykernel" in sys.modules else _SECONDS_BETWEEN_LOG_LINES
    drawn = -float(pause)

    def update(status: RunStatus) -> None:
        nonlocal drawn
        if time.monotonic() - drawn < pause and status.is_living:
            return
        drawn = time.monotonic()
        bar.total, bar.n = status.total or None, status.step
        bar.set_description_str(_doing(status), refresh=False)
        if status.eta_seconds is not None:
            minutes, seconds = divmod(round(status.eta_seconds), 60)
            at_most = "at most " if status.at_most else ""
            speed = f"{status.examples_per_second or 0:.0f} examples/s"
            bar.set_postfix_str(f"{speed}, {at_most}{minutes}:{seconds:02d} left", refresh=False)
        bar.refresh()

    return update


def _doing(status: RunStatus) -> str:
    if status.state != "running" or not status.training:
        return status.state
    return f"{status.training} {'training' if status.phase == 'train' else 'scoring'}"
