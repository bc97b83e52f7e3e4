"""The app as its own process on a free port, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTING = 60  # seconds until the app must answer

# Slow machines are no failure: what is asserted is what appears, not when.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; without one the test is skipped, or fails where REQUIRE_BROWSER=1."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = f"No browser found (looked for {', '.join(BROWSERS)})."
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield context.new_page()
    context.close()


@pytest.fixture
def served(tmp_path) -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a workspace and returns the address of its app.

    A workspace that is served already gets a new server: the one before it is stopped.
    """
    servers: dict[Path, subprocess.Popen[bytes]] = {}

    def serve(workspace: Path) -> str:
        if workspace in servers:
            _stop(servers.pop(workspace))
        port = _free_port()
        with (tmp_path / "server.log").open("wb") as log:
            command = [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                str(ROOT / "app.py"),
                "--server.headless=true",
            ]
            servers[workspace] = subprocess.Popen(
                [*command, f"--server.port={port}"],
                cwd=ROOT,
                env={**os.environ, "DIET_WORKSPACE": str(workspace)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        _wait_until_it_answers(
            f"http://127.0.0.1:{port}/_stcore/health", servers[workspace], tmp_path / "server.log"
        )
        return f"http://127.0.0.1:{port}"

    yield serve
    for server in servers.values():
        _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The app did not start:\n{log.read_text()}")
