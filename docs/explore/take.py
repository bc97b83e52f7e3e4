"""Take the pictures of explore.md: `python docs/explore/take.py WORKSPACE` (needs Chromium and Playwright).

Every view of Explore in light and dark, of the newest scoring run of each data set in the workspace.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote_plus

from playwright.sync_api import Page, sync_playwright

from bench.pages.browser import served
from diet_core.config import Workspace
from diet_core.runs.folder import all_runs

HERE = Path(__file__).resolve().parent
VIEWS = {
    "distribution": "Distribution",
    "map": "Data map",
    "two": "Two scores",
    "classes": "Classes",
    "checkpoints": "Checkpoints",
    "seeds": "Seeds",
}
SCREEN = {"width": 1280, "height": 720}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def newest_runs(workspace: Workspace) -> dict[str, str]:
    """Return the newest finished scoring run of each data set, by the data set's name."""
    runs = {}
    for folder in reversed(all_runs(workspace)):
        if folder.config().kind == "score" and folder.status().state == "done":
            runs[folder.config().dataset.name] = folder.run_id
    return runs


def take(page: Page, address: str, file: Path) -> None:
    """Open a view, wait until it is drawn, and take it without the page's head and the sidebar."""
    page.goto(address)
    page.wait_for_selector(SETTLED, timeout=60_000)
    page.wait_for_timeout(2500)  # charts draw after their frame
    top = page.get_by_test_id("stMain").get_by_role("radiogroup").nth(1).bounding_box()
    if top is None:
        raise SystemExit(f"{address} shows no views.")
    clip = {"x": top["x"] - 16, "y": top["y"] - 12, "width": 1280 - top["x"], "height": 732 - top["y"]}
    page.screenshot(path=file, clip=clip)


def main() -> None:
    """Take all of them."""
    parser = argparse.ArgumentParser(description="Take the pictures of explore.md.")
    parser.add_argument("workspace", type=Path)
    workspace = Workspace(parser.parse_args().workspace)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with served(workspace, Path(folder) / "app.log") as app:
            for theme in ("light", "dark"):
                page = browser.new_context(viewport=SCREEN, color_scheme=theme).new_page()
                for name, run_id in newest_runs(workspace).items():
                    for view, title in VIEWS.items():
                        address = f"{app}/explore?run={run_id}&view={quote_plus(title)}&log=true"
                        take(page, address, HERE / f"{name}-{view}-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main()
