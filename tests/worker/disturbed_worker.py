"""Workers that something happens to at a named point, the same in each run of the tests.

`python -m tests.worker.disturbed_worker RUN EVENT FUNCTION TRAINING N` is a worker of the run; the event
happens after the Nth call of a function within a training.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diet_core.runs.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds; fail after two minutes."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def start_disturbed(run: RunFolder, event: str, function: str, training: str, n: int = 1) -> subprocess.Popen:
    """Start a worker of the run in a process of its own.

    Args:
        run: The run.
        event: `kill` (it kills itself) or `hold` (it waits until the run is cancelled).
        function: `advance`, after a batch was counted, or a method of `Checkpoint`.
        training: In which training.
        n: After how many calls.
    """
    command = [sys.executable, "-m", __name__, str(run.path), event, function, training, str(n)]
    with run.log_file.open("ab") as log:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )


def work_until_killed(run: RunFolder, function: str, training: str, n: int = 1) -> None:
    """Let a worker go on with the run until it kills itself."""
    exit_status = start_disturbed(run, "kill", function, training, n).wait(PATIENCE)
    assert exit_status == -signal.SIGKILL, run.log_file.read_text(encoding="utf-8")


def _main(path: str, event: str, function: str, training: str, n: str) -> int:
    from diet_core.worker.__main__ import main
    from diet_core.worker.checkpoint import Checkpoint
    from diet_core.worker.progress import Progress

    owner = Progress if function == "advance" else Checkpoint
    real, calls_left = getattr(owner, function), int(n)

    def disturbed(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal calls_left
        result = real(self, *arguments, **named)
        calls_left -= self.training == training
        if not calls_left:
            _happen(event, self.folder)
        return result

    setattr(owner, function, disturbed)
    return main(path)


def _happen(event: str, run: RunFolder) -> None:
    if event == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    until(run.cancel_file.exists)


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
