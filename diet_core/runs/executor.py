"""Starting, watching and stopping the worker of a run on this machine; the progress bar."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from diet_core.errors import RunCancelledError, RunFailedError, RunStateError
from diet_core.runs.folder import RunFolder
from diet_core.runs.record import RunStatus

SECONDS_UNTIL_ALIVE: Final = 30
SECONDS_BETWEEN_LOOKS: Final = 0.2
# Threads that wait spin briefly, then sleep. While anything else computed on the same two cores (the app, a
# test), the default's long spinning made the training 5 times slower (10 against 55 examples/s). Not to spin
# costs an idle machine up to a quarter of its speed (82 against 77 and 101 against 76 examples/s).
WAITING: Final = {"GOMP_SPINCOUNT": "10000"}
_BAR: Final = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} steps{postfix}"
# In a log file each redrawing is a line more.
_SECONDS_BETWEEN_LOG_LINES: Final = 15


def start(folder: RunFolder) -> None:
    """Start the run's worker as a process of its own, which outlives this one; return once it lives.

    Raises:
        RunStateError: If a worker is at it already, or the run is done.
        RunFailedError: If the worker ends at once.
    """
    status = folder.status()
    if folder.is_locked() or status.is_done:
        raise RunStateError(
            f"Run {folder.run_id} is {status.state}; it cannot be started. Watch it with: status"
        )
    folder.cancel_file.unlink(missing_ok=True)
    try:
        exit_status = spawn("diet_core.worker", folder.path, folder.log_file, folder.is_locked)
    except KeyboardInterrupt:
        # Nobody waits for this worker any more: it reads the file as soon as it lives, and stops.
        folder.cancel_file.touch()
        raise
    if exit_status and folder.status().state not in ("failed", "cancelled"):
        raise RunFailedError(
            f"The worker of {folder.run_id} ended at once. Its log says why: {folder.log_file}"
        )


def spawn(module: str, folder: Path, log_file: Path, is_alive: Callable[[], bool]) -> int | None:
    """Run a module of this package on a folder, in a process of its own that outlives this one.

    Args:
        module: What `python -m` takes; the folder is its argument.
        folder: Also the process's working directory.
        log_file: What the process prints is appended to it.
        is_alive: Whether the process has begun its work.

    Returns:
        None once it lives; its exit status if it ended before.
    """
    package_root = str(Path(__file__).resolve().parents[2])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder.resolve())],
            cwd=folder,
            env=WAITING | os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # Somebody has to wait for a child, or it stays in the process table.
    threading.Thread(target=process.wait, daemon=True).start()
    deadline = time.monotonic() + SECONDS_UNTIL_ALIVE
    while not is_alive() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return process.poll()


def cancel(folder: RunFolder) -> None:
    """Ask the worker to stop after its present batch; what is finished stays, and `resume` goes on.

    The worker looks for the file between batches. No signal is sent: the process id in a status file may
    belong to another program by now.

    Raises:
        RunStateError: If the run is neither queued nor running.
    """
    status = folder.status()
    if not status.is_living:
        raise RunStateError(f"Run {folder.run_id} is {status.state}; there is nothing to cancel.")
    folder.cancel_file.touch()


def resume(folder: RunFolder, *, allow_other_environment: bool = False) -> None:
    """Go on with a run where it stood: within a training, at its last checkpoint.

    Args:
        folder: Of the run.
        allow_other_environment: Go on although device, precision, threads or versions have changed; the
            result may then differ from an uninterrupted run's.

    Raises:
        RunStateError: If the run is done or alive, or the environment is another one.
        SettingError: If the run's device is not there any more.
    """
    from diet_core.training import devices

    config = folder.config()
    now = devices.resolve(config.settings)
    changed = devices.differences(config.environment, now)
    if changed and not allow_other_environment:
        raise RunStateError(
            f"Run {folder.run_id} was started in another environment ({'; '.join(changed)}). "
            "Go back to it, or accept slightly different numbers with --allow-other-environment."
        )
    if changed:
        folder.write_config(dataclasses.replace(config, environment=now, changed=tuple(changed)))
    start(folder)


def follow(folder: RunFolder, on_status: Callable[[RunStatus], None] = lambda status: None) -> None:
    """Return when the run is done; tell `on_status` how it goes.

    Raises:
        RunFailedError: If it failed.
        RunCancelledError: If it was cancelled or interrupted.
    """
    while (status := folder.status()).is_living:
        on_status(status)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    on_status(status)
    if status.state == "failed":
        raise RunFailedError(f"Run {folder.run_id} failed: {status.error} The log: {folder.log_file}")
    if not status.is_done:
        raise RunCancelledError(
            f"Run {folder.run_id} was {status.state}. "
            f"Go on with: {folder.config().kind} --resume {folder.run_id}"
        )


def stop_and_wait(folder: RunFolder) -> None:
    """Cancel the run if it lives and return when its worker has ended."""
    if folder.status().is_living:
        folder.cancel_file.touch()
    while folder.is_locked():
        time.sleep(SECONDS_BETWEEN_LOOKS)


def show_progress(folder: RunFolder, is_shown: bool = True) -> None:
    """Wait for a run with a progress bar on standard error.

    Raises:
        RunFailedError: If it failed.
        RunCancelledError: If it was cancelled or interrupted; interrupting this wait cancels the run.
    """
    from tqdm.auto import tqdm

    with tqdm(disable=not is_shown, bar_format=_BAR) as bar:
        try:
            follow(folder, _bar_updater(bar))
        except KeyboardInterrupt:
            stop_and_wait(folder)
            follow(folder)
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
