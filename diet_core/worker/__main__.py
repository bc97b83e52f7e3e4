"""The process that does a run's work: `python -m diet_core.worker RUN_DIR`.

It writes its folder only, knows neither the app nor the database, and holds the folder's lock for its life.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from diet_core.errors import DietError
from diet_core.runs.folder import RunFolder, all_runs, device_lock, now, open_folder

SECONDS_TO_GET_THE_LOCK = 10
SECONDS_BETWEEN_TRIES = 0.5


class Stopped(BaseException):
    """Somebody asked the worker to stop."""


class StopRequest:
    """Remembers SIGTERM; the work asks between batches."""

    def __init__(self, folder: RunFolder) -> None:
        """Listen for SIGTERM from now on."""
        self.folder = folder
        self.is_signalled = False
        signal.signal(signal.SIGTERM, self._remember)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self.is_signalled = True

    def check(self) -> None:
        """Raise Stopped if the run shall stop."""
        if self.is_signalled or self.folder.cancel_file.exists():
            raise Stopped


def log(message: str) -> None:
    """Print a line with the time; the executor sends it to the run's log file."""
    print(f"{now()} {message}", flush=True)


def wait_for_device(folder: RunFolder, lock: FileLock, stop: StopRequest) -> None:
    """Return once no other run of the workspace uses the device and no older one waits for it."""
    while True:
        stop.check()
        if not _is_older_run_waiting(folder):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                pass
            else:
                return
        folder.change_status("queued")
        time.sleep(SECONDS_BETWEEN_TRIES)


def _is_older_run_waiting(folder: RunFolder) -> bool:
    older = [run for run in all_runs(folder.workspace) if run.run_id[-20:] < folder.run_id[-20:]]
    return any(_is_queued(run) for run in older)


def _is_queued(run: RunFolder) -> bool:
    try:
        return run.status().state == "queued"
    except DietError:  # a folder without a readable status waits for nothing
        return False


def work(folder: RunFolder, stop: StopRequest) -> None:
    """Do all that is not done yet, one run per device at a time."""
    lock = device_lock(folder.path.parent, folder.config().environment.device)
    wait_for_device(folder, lock, stop)
    try:
        # torch takes seconds to import; the lock, the state and a cancel must not wait for it.
        from diet_core.worker.trainings import run_all

        run_all(folder, stop.check, log)
    finally:
        lock.release()


def main(path: str) -> int:
    """Do the run in the folder `path`; return the exit status."""
    folder = open_folder(Path(path))
    with FileLock(folder.lock_file, timeout=SECONDS_TO_GET_THE_LOCK):
        stop = StopRequest(folder)
        folder.remove_leftovers()
        folder.change_status("queued", error=None)
        try:
            work(folder, stop)
        except Stopped:
            log("stopped")
            folder.change_status("cancelled", eta_seconds=None)
            return 130
        except Exception as error:
            traceback.print_exc()
            message = str(error) if isinstance(error, DietError) else f"{type(error).__name__}: {error}"
            folder.change_status("failed", error=message, eta_seconds=None)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
