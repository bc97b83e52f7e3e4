"""A person walks the whole way: upload, review by click, prune, download; scores are made beforehand."""

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
from diet_core.selection.ranking import ranking
from diet_core.selection.rules import select

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds; the machine may be busy


def texts(content: str) -> list[str]:
    """The texts of a CSV file."""
    return [row["text"] for row in csv.DictReader(io.StringIO(content, newline=""))]


def test_from_the_upload_to_the_cleaned_file(page, served, workspace, sentences_csv, sentence_run):
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(served(workspace.root))
    page.get_by_role("link", name="Import", exact=True).click()
    page.locator("input[type=file]").first.set_input_files(sentences_csv)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text(re.compile("sentences, version 1: 120 examples"))).to_be_visible()

    # A run that ended meanwhile, here one that was made beforehand, is there without a click of its own.
    run = RunFolder(workspace.runs / sentence_run.run_id)
    shutil.copytree(sentence_run.path, run.path)
    page.get_by_role("link", name="Review", exact=True).click()
    scores = scores_table(read_facts(run))
    suspects = scores[scores["predicted_label"] != scores["label"]]
    first = suspects.iloc[ranking(suspects["example_id"].tolist(), suspects["label_error"], "label_error")[0]]
    expect(page.locator(".desk-text")).to_contain_text(first["text"])
    page.get_by_role("button", name="Drop", exact=True).click()
    expect(page.locator(".desk-progress")).to_have_text(re.compile(r"^1 of \d+ decided · 1 changed"))

    page.get_by_role("link", name="Prune", exact=True).click()
    page.get_by_label("Keep, percent").fill("60")
    page.get_by_label("Keep, percent").press("Enter")
    expect(page).to_have_url(re.compile("keep=0.6"))
    kept = set(select(scores, keep=0.6, drop_hardest=0.04)) - {first["example_id"]}
    kept_count = page.get_by_test_id("stMetric").filter(has_text="Kept").get_by_test_id("stMetricValue")
    expect(kept_count).to_have_text(str(len(kept)))  # the links follow the address after a moment
    page.get_by_role("link", name="Export with this rule").click()
    page.get_by_role("button", name="Prepare download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download sentences-clean.csv").click()
    rows = texts(download.value.path().read_text(encoding="utf-8"))

    gone = set(scores.loc[~scores["example_id"].isin(kept), "text"])
    source = texts(sentences_csv.read_text(encoding="utf-8"))
    assert rows == [row for row in source if row not in gone]
    assert not errors
