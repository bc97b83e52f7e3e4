"""`python -m bench.pages.timed_server FILE run app.py …`: streamlit, which notes how long each run takes.

What a browser makes of it is no part of a script run. So the server's own clock says how long one took: from
its first line to its last, whatever is sent meanwhile.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web import cli


def note_runs(file: Path) -> None:
    """Let every script run of this process write a line to a file: its milliseconds, and the processor's."""
    run_script = ScriptRunner._run_script

    def timed(self: ScriptRunner, *arguments: Any, **settings: Any) -> None:
        started, worked = time.perf_counter(), time.process_time()
        try:
            run_script(self, *arguments, **settings)
        finally:
            with file.open("a", encoding="utf-8") as lines:
                spent = time.perf_counter() - started, time.process_time() - worked
                lines.write(" ".join(f"{1000 * seconds:.1f}" for seconds in spent) + "\n")

    ScriptRunner._run_script = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    note_runs(Path(sys.argv[1]))
    cli.main(sys.argv[2:])
