"""A person scores a data set, goes away, comes back, and stops a run."""

import dataclasses
import re
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Page, expect

from diet_core.config import Workspace
from diet_core.errors import RunStateError
from diet_core.runs import executor
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.store.loading.datasets import add_dataset

pytestmark = pytest.mark.browser

PATIENCE = 120_000  # milliseconds: the machine may be busy
SECONDS_TO_CANCEL = 10


DATA_SETS = ("finished", "queued", "refused", "outlived")  # one a test


@pytest.fixture(scope="module")
def fill_store(sentence_data):
    """Give each test the sentences as a data set of its own."""

    def fill_store(store):
        for name in DATA_SETS:
            info = dataclasses.replace(sentence_data.info, name=name)
            add_dataset(store, dataclasses.replace(sentence_data, info=info))

    return fill_store


@pytest.fixture
def opened(page, running):
    """Return a function that opens Score on a data set; what a failed test left at work is cancelled."""
    yield lambda name: page.goto(f"{running.address}/score?dataset={name}-v1")
    for run in all_runs(Workspace(running.workspace)):
        with suppress(RunStateError):
            executor.cancel(run)


def start(page: Page, model, *, epochs: int, seeds: int = 2) -> None:
    """Fill in the settings and start a run."""
    fill(page, "Model", str(model))
    fill(page, "Seeds", str(seeds))
    fill(page, "Epochs", str(epochs))
    quick_look = page.get_by_test_id("stCheckbox").filter(has_text="Quick look first")
    if quick_look.get_by_role("checkbox").is_checked():
        quick_look.locator("label").click()
    page.get_by_role("button", name="Start scoring").click()


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def badge(page: Page, state: str) -> Locator:
    """Return the badges of runs in a state; an icon's name stands before the word."""
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile(rf"{state}$"))


def step_of(page: Page) -> int:
    """Return the step that the panel shows."""
    line = page.get_by_text(re.compile(r"Step [\d,]+ of")).first
    expect(line).to_be_visible(timeout=PATIENCE)
    found = re.search(r"Step ([\d,]+) of", line.inner_text())
    assert found
    return int(found[1].replace(",", ""))


def wait_for_step(page: Page, beyond: int) -> int:
    deadline = time.monotonic() + PATIENCE / 1000
    while (step := step_of(page)) <= beyond:
        assert time.monotonic() < deadline, "the run stands still"
        page.wait_for_timeout(200)
    return step


def test_result_appears_without_a_click(page, opened, tiny_model):
    opened("finished")
    expect(page.get_by_text("This data set has not been scored yet.")).to_be_visible(timeout=PATIENCE)
    start(page, tiny_model, epochs=20)
    expect(page.get_by_text(re.compile("Queued|Running")).first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("The seeds agree")).to_be_visible(timeout=PATIENCE)
    expect(badge(page, "Done")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.get_by_role("link", name="Explore the scores").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible(timeout=PATIENCE)


def test_second_run_waits_for_the_first(page, opened, tiny_model):
    opened("queued")
    start(page, tiny_model, epochs=1000, seeds=50)
    wait_for_step(page, 0)
    page.get_by_role("button", name="Start scoring").click()
    expect(badge(page, "Queued")).to_be_visible(timeout=PATIENCE)
    for n in (1, 2):
        page.get_by_role("button", name="Cancel").last.click()
        expect(badge(page, "Cancelled")).to_have_count(n, timeout=PATIENCE)


def test_unknown_model_is_told_in_a_box(page, opened, tmp_path):
    opened("refused")
    start(page, tmp_path / "none", epochs=1)
    expect(page.get_by_text("is no folder with a model")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()


def test_run_outlives_refresh_and_restart_and_is_cancelled(page, running, opened, tiny_model):
    opened("outlived")
    start(page, tiny_model, epochs=1000, seeds=50)
    at_first = wait_for_step(page, 0)
    page.reload()
    after_refresh = wait_for_step(page, at_first)
    running.stop()
    running.start()
    opened("outlived")
    wait_for_step(page, after_refresh)

    (run,) = (run for run in all_runs(Workspace(running.workspace)) if run.run_id.startswith("outlived-"))
    began = time.monotonic()
    page.get_by_role("button", name="Cancel").click()
    wait_until_ended(run)
    assert time.monotonic() - began < SECONDS_TO_CANCEL
    expect(badge(page, "Cancelled")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def wait_until_ended(run: RunFolder) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while run.is_locked():
        assert time.monotonic() < deadline, "the worker does not stop"
        time.sleep(0.05)
    assert run.status().state == "cancelled"


def test_first_visitor_may_open_any_page(page, served, store, sentence_data):
    add_dataset(store, sentence_data)
    store.close()
    page.goto(f"{served(store.workspace.root)}/score?dataset=sentences-v1")
    expect(page.get_by_text("This data set has not been scored yet.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("link", name="Explore", exact=True)).to_be_visible()
    expect(page).to_have_title("Data Diet")
