"""The app in a process of its own, and a Chromium that presses the review desk's keys."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.rounds import check_installed
from diet_core.config import Workspace
from diet_core.errors import RunFailedError, SettingError

if TYPE_CHECKING:
    from playwright.sync_api import Page

APP: Final = Path(__file__).resolve().parents[2] / "app.py"
TIMED_SERVER: Final = ("bench.pages.timed_server",)
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KEYS: Final = {"k": "keep", "s": "relabel", "d": "drop", "u": "unsure"}  # and the actions that they stand for
PACE: Final = 10  # presses a second
WARM_UP: Final = 10  # presses before those that count
STARTING: Final = 120  # seconds until the app must answer, and until a card must be there
SETTLING: Final = 60_000  # milliseconds until everything must be saved
SCREEN: Final = {"width": 1280, "height": 720}
CARD: Final = ".desk-card[data-example]:not([hidden])"
SAVED: Final = '.desk-saved[data-state="saved"]'

# Notes for each key which example was on the screen, after how many milliseconds another one was painted (the
# task after the frame that shows it), and when the browser knew that the server has the decision (it then
# leaves the outbox that localStorage keeps). Times count from the event's own time stamp.
PROBE: Final = """() => {
  const card = () => document.querySelector(".desk-card").dataset.example;
  const offset = Date.now() - performance.now();
  const events = new Map();
  window.presses = [];
  addEventListener("keydown", (event) => {
    const since = () => performance.now() - event.timeStamp;
    const at = offset + event.timeStamp;
    const press = { key: event.key, before: card(), at, painted: null, known: null, since };
    window.presses.push(press);
    const look = () => {
      if (card() !== press.before) setTimeout(() => { press.painted = since(); });
      else if (since() < 5000) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true });
  const noted = (key, value) => {
    if (!key.startsWith("data-diet outbox")) return;
    const waiting = new Set(JSON.parse(value).map((event) => event.client_event_id));
    for (const id of waiting) if (!events.has(id)) events.set(id, window.presses.at(-1));
    for (const [id, press] of events) {
      if (press && press.known === null && !waiting.has(id)) press.known = press.since();
    }
  };
  const { setItem, removeItem } = Storage.prototype;
  Storage.prototype.setItem = function (key, value) { setItem.call(this, key, value); noted(key, value); };
  Storage.prototype.removeItem = function (key) { removeItem.call(this, key); noted(key, "[]"); };
}"""


@dataclass(frozen=True)
class Press:
    """A key as the page saw it.

    Attributes:
        key: Which.
        before: The id of the example that was on the screen.
        at: When, in milliseconds since 1970 (UTC).
        painted: Milliseconds until another example was painted; None where none was within five seconds.
        known: Milliseconds until the browser knew that the decision is stored; None where it never did.
    """

    key: str
    before: str
    at: float
    painted: float | None
    known: float | None


@dataclass(frozen=True)
class Visit:
    """What a visit to the review desk showed.

    Attributes:
        card_seconds: From the call of the address to the first card: `first` by a server that has shown
            nothing yet, `again` after a refresh.
        n_queue: Examples in the queue.
        seconds: How long the pressing took.
        presses: Those that count, in order.
    """

    card_seconds: dict[str, float]
    n_queue: int
    seconds: float
    presses: tuple[Press, ...]


def browser_path() -> str:
    """Return where Chromium is.

    Raises:
        SettingError: If there is none, or Playwright, which drives it, is not installed.
    """
    check_installed("playwright.sync_api", "The pages are looked at with Playwright, which is not installed.")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SettingError(f"No browser was found (looked for {', '.join(BROWSERS)}). Install Chromium.")
    return path


def times_of(log: Path) -> Path:
    """Return the file of the script runs' times of a server with this log."""
    return log.with_suffix(".times")


@contextmanager
def served(workspace: Workspace, log: Path, server: Sequence[str] = TIMED_SERVER) -> Iterator[str]:
    """Serve a workspace in a process of its own and yield the address of the app.

    Beside the log, in `times_of(log)`, stand the milliseconds of every script run.

    Args:
        workspace: Which.
        log: What the server says.
        server: The module that serves, and its own arguments.

    Raises:
        RunFailedError: If it does not answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    times_of(log).unlink(missing_ok=True)
    timed = [sys.executable, "-m", *server, str(times_of(log))]
    command = [*timed, "run", str(APP), "--server.headless=true"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.fileWatcherType=none"],
            cwd=APP.parent,
            env={**os.environ, "DIET_WORKSPACE": str(workspace.root)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
    raise RunFailedError(f"The app did not start; it said: {said[-1]}")


def visit(address: str, browser: str, run_id: str, n: int) -> Visit:
    """Open Review twice, then press keys at 10 a second.

    Args:
        address: Of the app.
        browser: Its path.
        run_id: Whose likely label errors are reviewed.
        n: Presses that count; ten more come before them.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(FLAGS))
        page = chromium.new_context(viewport=SCREEN).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(1000 * STARTING)
        url = f"{address}/review?run={run_id}"
        card_seconds = {"first": _seconds_to_card(page, url), "again": _seconds_to_card(page, url)}
        page.evaluate(PROBE)
        _press(page, WARM_UP)
        page.wait_for_selector(SAVED, timeout=SETTLING)
        seconds = _press(page, n)
        page.wait_for_selector(SAVED, timeout=SETTLING)
        presses = page.evaluate("presses.map(({since, ...press}) => press)")[WARM_UP:]
        n_queue = int(page.locator(".desk-place").inner_text().split(" of ")[-1].replace(",", ""))
        chromium.close()
    return Visit(card_seconds, n_queue, seconds, tuple(Press(**press) for press in presses))


def _seconds_to_card(page: Page, url: str) -> float:
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(CARD)
    return time.perf_counter() - started


def _press(page: Page, n: int) -> float:
    """Press so many keys, each at its time, and return the seconds that it took."""
    keys: list[Any] = list(KEYS)
    started = time.perf_counter()
    for number in range(n):
        time.sleep(max(0.0, started + number / PACE - time.perf_counter()))
        page.keyboard.press(keys[number % len(keys)])
    return time.perf_counter() - started
