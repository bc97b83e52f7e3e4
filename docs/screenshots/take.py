"""Takes the pictures of this folder: `python docs/screenshots/take.py` (Chromium and Playwright are needed).

It writes a small data set of made-up reviews, a tenth of them labelled wrong, scores it with the embedded
model, retrains once, serves the app, and looks at every page in light and dark, on a small and a large
screen. Then it walks a new user's way from the opened app to the first decision, and prints clicks and
seconds. Review is shown on the bundled sample, scored by a quick look, with a few dozen decisions, and on a
tablet's screen too: `--only review` takes these pictures alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGES = {
    "home": "Data sets",
    "import_data": "Import",
    "score": "Runs",
    "explore": "Examples",
    "compare": "Common examples",
    "prune": "Classes",
    "export_data": "Export",
}
SCREENS = {"1280x720": (1280, 720), "1920x1080": (1920, 1080)}
TABLET = {"820x1180": (820, 1180)}
# What is pressed before Review is shown, at a fast reader's pace: more than two blocks of twenty, so that the
# curve of errors is there.
SECONDS_EACH = 2
DECISIONS = "ssksdssskssuksssksskdssssnsssksskssdssfskssk"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
OPINIONS = {
    "negative": ["a waste of an evening", "dull from beginning to end", "badly written", "I walked out"],
    "positive": ["a joy to watch", "moving and clever", "the best this year", "I would see it again"],
}
SUBJECTS = ["The film", "This play", "The second season", "Her new book", "The concert", "That documentary"]
REASONS = ["the cast", "the story", "the music", "its pace", "the ending", "the dialogue", "every scene"]


def reviews(file: Path, n: int = 600) -> None:
    """Write made-up reviews, every tenth with the other label."""
    draw = random.Random(1)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "text", "label"])
        for i in range(n):
            label, other = draw.sample(sorted(OPINIONS), 2)
            opinions = " and ".join(draw.sample(OPINIONS[label], 2))
            text = f"{draw.choice(SUBJECTS)} was {opinions}, because of {draw.choice(REASONS)}. No. {i}"
            writer.writerow([f"r{i:03d}", text, other if i % 10 == 3 else label])


def diet(workspace: Path, *arguments: str) -> None:
    """Run a verb of the command line."""
    command = [sys.executable, "-m", "diet_core", "--workspace", str(workspace), *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def served(workspace: Path) -> Iterator[tuple[str, float]]:
    """Serve the app; yield its address and when it was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    server = subprocess.Popen(
        [*command, f"--server.port={port}"],
        cwd=ROOT,
        env=os.environ | {"DIET_WORKSPACE": str(workspace)},
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
            break
        except OSError:
            time.sleep(0.05)
    yield address, started
    server.terminate()
    server.wait(timeout=30)


def take_all(browser: Browser, address: str) -> None:
    """Take every page but Review in both themes and on both screens."""
    for theme, size, page in pages(browser, SCREENS):
        for name, wanted in PAGES.items():
            page.goto(f"{address}/{'' if name == 'home' else name}")
            expect(page.get_by_text(wanted).first).to_be_visible(timeout=60_000)
            page.wait_for_timeout(1500)  # charts draw after their frame
            page.screenshot(path=HERE / f"{name}-{theme}-{size}.png")


def take_review(browser: Browser, address: str) -> None:
    """Decide on a few dozen suspects, then take Review."""
    desk = browser.new_page()
    open_review(desk, address)
    for key in DECISIONS:
        desk.keyboard.press(key)
        desk.wait_for_timeout(1000 * SECONDS_EACH)
    desk.wait_for_selector('.desk-saved[data-state="saved"]', timeout=60_000)
    desk.close()
    for theme, size, page in pages(browser, SCREENS | TABLET):
        open_review(page, address)
        page.screenshot(path=HERE / f"review-{theme}-{size}.png")


def pages(browser: Browser, screens: dict[str, tuple[int, int]]) -> Iterator[tuple[str, str, Page]]:
    """Yield a page per theme and screen, with their names."""
    for theme in ("light", "dark"):
        for size, (width, height) in screens.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
            yield theme, size, context.new_page()
            context.close()


def open_review(page: Page, address: str) -> None:
    """Open Review and wait for its card and its figures."""
    page.goto(f"{address}/review")
    page.wait_for_selector(".desk-card[data-example]:not([hidden])", timeout=60_000)
    page.wait_for_timeout(3000)


def first_page(page: Page, address: str, started: float) -> tuple[float, float, float]:
    """Open Home as the server's first visitor; return seconds to its answer, its title and its last table."""
    answers = time.monotonic() - started
    page.goto(address)
    page.get_by_role("heading", name="Data Diet").wait_for()
    title = time.monotonic() - started
    page.get_by_role("heading", name="Runs").wait_for()
    return answers, title, time.monotonic() - started


def first_decision(page: Page, address: str) -> tuple[int, float]:
    """Walk from the opened app to the first decision; return clicks and seconds."""
    started = time.monotonic()
    page.goto(address)
    page.get_by_role("link", name="Review the likely label errors").click()
    page.get_by_role("button", name="Take suggestion").click()
    expect(page.get_by_text("1 of").first).to_be_visible(timeout=60_000)
    return 2, time.monotonic() - started


def show_reviews(browser: Browser, folder: Path) -> None:
    """Score the made-up reviews, take every page but Review, and walk a new user's way."""
    workspace = folder / "reviews"
    reviews(folder / "reviews.csv")
    roles = ["--text", "text", "--label", "label", "--id", "id"]
    diet(workspace, "import", "reviews", str(folder / "reviews.csv"), *roles)
    diet(workspace, "score", "reviews", "--seeds", "2")
    diet(workspace, "retrain", "latest", "--repeats", "2")
    with served(workspace) as (address, started):
        answers, title, whole = first_page(browser.new_page(), address, started)
        # The server's start to: its first answer, the first page's title, its last table.
        print(f"Answers after {answers:.1f} s, title {title:.1f} s, first page {whole:.1f} s")  # noqa: T201
        take_all(browser, address)
        clicks, seconds = first_decision(browser.new_page(), address)
        print(f"First decision after {clicks} clicks and {seconds:.1f} s")  # noqa: T201


def show_sample(browser: Browser, folder: Path) -> None:
    """Score the bundled sample by a quick look and take Review."""
    workspace = folder / "sample"
    diet(workspace, "sample")
    diet(workspace, "score", "--seeds", "3", "--encoder", "frozen")
    with served(workspace) as (address, _):
        take_review(browser, address)


def main() -> None:
    """Do all of it, or Review alone."""
    parser = argparse.ArgumentParser(description="Take the pictures of this folder.")
    parser.add_argument("--only", choices=["review"], help="take the pictures of this page alone")
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        if only is None:
            show_reviews(browser, Path(folder))
        show_sample(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
