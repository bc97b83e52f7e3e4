"""A person prunes with sliders and takes the pruned file away."""

from __future__ import annotations

import csv
import io
import re
import shutil

import pytest
from playwright.sync_api import expect

from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.scores import scores_table
from diet_core.selection.rules import select
from diet_core.store.loading.datasets import add_dataset
from diet_core.workspace.ingest import reconcile

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds; the machine may be busy


@pytest.fixture
def run(workspace, store, sentence_data, sentence_run) -> RunFolder:
    add_dataset(store, sentence_data)
    folder = RunFolder(workspace.runs / sentence_run.run_id)
    shutil.copytree(sentence_run.path, folder.path)
    reconcile(store)
    store.close()
    return folder


@pytest.fixture
def opened(page, served, workspace, run):
    """The app, opened at its start page."""
    page.set_default_timeout(PATIENCE)
    address = served(workspace.root)
    page.goto(address)
    expect(page.get_by_role("heading", name="Data Diet")).to_be_visible()
    return address


def figure(page, label: str):
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def test_from_the_slider_to_the_downloaded_file(page, opened, run, sentence_data):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_role("link", name="Prune", exact=True).click()
    expect(page.get_by_role("heading", name="Prune")).to_be_visible()
    number = page.get_by_label("Keep, percent")
    number.fill("50")
    number.press("Enter")
    kept = select(scores_table(read_facts(run)), keep=0.5, drop_hardest=0.04)
    expect(figure(page, "Kept")).to_have_text(str(len(kept)))
    expect(page).to_have_url(re.compile("keep=0.5"))
    page.reload()
    expect(figure(page, "Kept")).to_have_text(str(len(kept)))
    expect(page.get_by_role("slider", name="Keep")).to_have_attribute("value", "0.5")

    page.get_by_role("link", name="Export with this rule").click()
    expect(page.get_by_role("heading", name="Export")).to_be_visible()
    expect(page).to_have_url(re.compile("keep=0.5"))
    examples = sentence_data.examples
    gone = set(examples.query("split == 'train'")["example_id"]) - set(kept)
    expect(figure(page, "Rows out")).to_have_text(str(len(examples) - len(gone)))
    page.get_by_role("button", name="Prepare download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download sentences-clean.csv").click()
    assert download.value.suggested_filename == "sentences-clean.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"), newline="")))
    stays = examples[~examples["example_id"].isin(gone)]
    assert [row["text"] for row in rows] == stays["text"].tolist()
    assert [row["label"] for row in rows] == stays["label"].tolist()
    with page.expect_download() as download:
        page.get_by_role("button", name="Manifest").click()
    assert download.value.suggested_filename == "sentences-clean.csv.manifest.json"
    assert not errors


def test_every_kind_of_rule_survives_a_reload_and_a_saved_one_comes_back(page, opened, run):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    scores = scores_table(read_facts(run))
    page.goto(f"{opened}/prune?run={run.run_id}")
    stay = figure(page, "Kept")

    page.get_by_role("radio", name="Window").click()
    expect(stay).to_have_text(str(len(scores)))
    low = f"{scores['el2n'].quantile(0.4):.2g}"
    page.get_by_label("From", exact=True).fill(low)
    page.get_by_label("From", exact=True).press("Enter")
    in_window = str(len(select(scores, kind="window", low=float(low))))
    expect(stay).to_have_text(in_window)
    page.reload()
    expect(stay).to_have_text(in_window)
    expect(page.get_by_label("From", exact=True)).to_have_value(re.compile(f"^{low}"))

    page.get_by_role("button", name="Save rule").click()
    page.get_by_label("Name", exact=True).fill("hard-part")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Rule hard-part is saved").first).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("radio", name="Random").click()
    expect(figure(page, "Not drawn")).to_be_visible()
    page.get_by_role("spinbutton", name="Draw").fill("3")
    page.get_by_role("spinbutton", name="Draw").press("Enter")
    expect(page).to_have_url(re.compile("kind=random&draw=3|draw=3.*kind=random"))
    drawn = str(len(select(scores, kind="random", keep=0.7, seed=3)))
    page.reload()
    expect(stay).to_have_text(drawn)
    expect(page.get_by_role("spinbutton", name="Draw")).to_have_value("3")

    page.get_by_role("radio", name="Auto size").click()
    expect(page.get_by_text("of 2 times").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("of 2 times").first).to_be_visible()

    page.get_by_role("button", name="Saved rules").click()
    page.get_by_role("button", name="Load").click()
    expect(stay).to_have_text(in_window)
    expect(page).to_have_url(re.compile(f"kind=window.*low={re.escape(low)}"))
    expect(page.get_by_label("From", exact=True)).to_have_value(re.compile(f"^{low}"))
    assert not errors
