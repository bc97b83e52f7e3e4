"""The review desk as a reviewer sees it, and what it has stored."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pandas as pd
from playwright.sync_api import Locator, Page, expect

from diet_core.config import Workspace
from diet_core.store.store import open_store
from tests.e2e.app_server import AppServer
from tests.e2e.desk_runs import run_id_of

# Resolves with the example that is painted, once it is another one than before or ten seconds have passed.
NEXT_ROW = """before => new Promise(done => {
  const started = performance.now();
  const look = () => {
    const now = document.querySelector('.desk-card')?.dataset.example ?? before;
    if (now !== before || performance.now() - started > 10_000) setTimeout(() => done(now));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


class DeskPage:
    """A browser's page with the desk of a server: one run's."""

    def __init__(self, page: Page, server: AppServer, name: str) -> None:
        self.page = page
        self.server = server
        self.name = name
        self.card = page.locator(".desk-card")
        self.saved = page.locator(".desk-saved")
        self.progress = page.locator(".desk-progress")
        self.text = page.locator(".desk-text")

    def open(self, **address: str) -> DeskPage:
        """Open Review and wait for the first card."""
        address = {"run": run_id_of(self.name), **address}
        self.page.goto(f"{self.server.address}/review?{urlencode(address)}")
        return self.is_drawn()

    def reload(self) -> DeskPage:
        """Refresh the page and wait for the card."""
        self.page.reload()
        return self.is_drawn()

    def is_drawn(self) -> DeskPage:
        """Wait for a card."""
        expect(self.card).to_be_visible()
        expect(self.card).to_have_attribute("data-example", re.compile("."))
        return self

    @property
    def example(self) -> str:
        """The id of the example on the screen."""
        return self.card.get_attribute("data-example") or ""

    def shows(self, example_id: str) -> None:
        """Wait until an example is on the screen."""
        expect(self.card).to_have_attribute("data-example", example_id)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the key before it has brought another example."""
        for key in keys:
            before = self.example
            self.page.keyboard.press(key)
            assert self.page.evaluate(NEXT_ROW, before) != before, f"{key} on {before} went nowhere"

    def fact(self, name: str) -> Locator:
        """The label, suggestion or decision on the card."""
        return self.page.locator(f".desk-{name} b")

    def button(self, name: str) -> Locator:
        """A button of the desk by its title."""
        return self.page.locator(".desk").get_by_role("button", name=name, exact=True)

    def is_saved(self) -> None:
        """Wait until the server has everything."""
        expect(self.saved).to_have_attribute("data-state", "saved")

    def stored(self) -> pd.DataFrame:
        """Return all events of the data set in their order, once the server has everything."""
        self.is_saved()
        return stored_events(self.server.workspace, f"{self.name}-v1")


def stored_events(workspace: Path, dataset_id: str) -> pd.DataFrame:
    """Return all events of a data set in their order, from a copy: the server alone may open the database."""
    with TemporaryDirectory() as folder:
        for file in workspace.glob("diet.duckdb*"):
            shutil.copy(file, folder)
        with open_store(Workspace(Path(folder))) as store:
            return store.frame(
                "SELECT * FROM decisions WHERE dataset_id = ? ORDER BY decision_id", [dataset_id]
            )
