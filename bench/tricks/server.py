"""`python -m bench.tricks.server TRICK FILE run app.py …`: the timed server with a trick switched off."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli

from bench.pages.timed_server import note_runs
from bench.tricks.switches import PAGE_TRICKS

if __name__ == "__main__":
    PAGE_TRICKS[sys.argv[1]].switch_off()
    note_runs(Path(sys.argv[2]))
    cli.main(sys.argv[3:])
