"""A person starts a plan, watches its arms, and reads what came of it."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from diet_core.store.loading.datasets import add_dataset
from diet_core.workspace.ingest import reconcile

pytestmark = pytest.mark.browser

PATIENCE = 120_000  # milliseconds: the machine may be busy


@pytest.fixture(scope="module")
def fill_store(sentence_data, sentence_run):
    """Give the workspace the sentences and their scoring run."""

    def fill_store(store):
        add_dataset(store, sentence_data)
        shutil.copytree(sentence_run.path, store.workspace.runs / sentence_run.run_id)
        reconcile(store)

    return fill_store


def test_a_plan_is_started_watched_and_read_and_stands_after_a_reload(page, running, sentence_run):
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{running.address}/prune?run={sentence_run.run_id}")
    page.get_by_role("radio", name="Both", exact=True).click()
    repeats = page.get_by_role("spinbutton", name="Repeats")
    repeats.fill("2")
    repeats.press("Enter")
    expect(page.get_by_text("8 trainings")).to_be_visible()
    page.get_by_role("button", name="Retrain", exact=True).click()
    expect(page).to_have_url(re.compile("retrain=sentences-"))
    expect(page.get_by_text(re.compile(r"Training \d of 8"))).to_be_visible()

    # It ends while the page is open: nobody has to reload or click.
    expect(page.get_by_text(re.compile(r"\d+ steps in"))).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("in two repeats, too few to be sure").first).to_be_visible()
    for view in ("Learning curves", "Recall per class", "Cost", "Differences"):
        page.get_by_role("radio", name=view, exact=True).click()
        expect(page.get_by_role("heading", name=view).last).to_be_visible()
    page.reload()
    expect(page.get_by_text("in two repeats, too few to be sure").first).to_be_visible()
    assert not errors
