"""Loads a run in a process of its own: `python -m bench.store.ingest WORKSPACE RUN_ID`.

So that the peak of its memory is known by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from diet_core.config import Workspace
from diet_core.errors import RunFailedError
from diet_core.runs.folder import open_folder
from diet_core.store.store import open_store
from diet_core.workspace.ingest import ingest


def ingested(workspace: Workspace, run_id: str) -> dict[str, Any]:
    """Load a run folder in another process and return what that took.

    Returns:
        seconds: from the opened store to the committed run; peak_mb: the most memory that the process held
        (the libraries included), None where the system does not tell.

    Raises:
        RunFailedError: If it does not come to its end.
    """
    command = [sys.executable, "-m", "bench.store.ingest", str(workspace.root.resolve()), run_id]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise RunFailedError(f"The run could not be loaded; the process said: {said[-1]}")
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def peak_mb() -> float | None:
    """Return the most memory that this process has held so far, in megabytes; None where nobody tells."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def main(root: str, run_id: str) -> dict[str, Any]:
    """Load the run here; return seconds and the peak of memory."""
    workspace = Workspace(Path(root))
    with open_store(workspace) as store:
        started = time.perf_counter()
        ingest(store, open_folder(workspace.run_folder(run_id)))
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_mb": peak_mb()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
