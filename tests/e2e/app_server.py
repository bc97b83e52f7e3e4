"""The app as its own process, which can be stopped, killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STARTING = 60  # seconds until the app must answer


class AppServer:
    """Serves a workspace at a port of its own: one of those that others left, if there is any."""

    def __init__(self, workspace: Path, left: list[int] | None = None) -> None:
        self.workspace = workspace
        self.port = _free_port(left or [])
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = workspace.parent / f"server-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> AppServer:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
            self._process = subprocess.Popen(
                [*command, "--server.headless=true", f"--server.port={self.port}"],
                cwd=ROOT,
                env={**os.environ, "DIET_WORKSPACE": str(self.workspace)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers()
        return self

    def stop(self) -> None:
        """End it as a user does; fail if a page has met a bug meanwhile, whether or not anybody saw it."""
        self._end(signal.SIGTERM)
        log = self._log.read_text() if self._log.exists() else ""
        assert "A page failed" not in log, log[log.index("A page failed") :]

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def kill_and_start(self) -> None:
        """Kill it and start it again at the same address."""
        self.kill()
        self.start()

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(timeout=30)
            self._process = None

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self.is_running:
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"The app did not start:\n{self._log.read_text()}")


def _free_port(left: list[int]) -> int:
    """Take a port out of a list if it still is free, else any."""
    port = left.pop() if left else 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its last visitor may be leaving still
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return _free_port(left)
        return int(probe.getsockname()[1])
