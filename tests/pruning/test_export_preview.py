"""Exports for the browser: the counts beforehand, the bytes afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diet_core.cli.main import main
from diet_core.config import RUN_ID, Rule
from diet_core.errors import DataError, NotFoundError, RunStateError
from diet_core.pruning import export_preview
from diet_core.pruning import outcome as pruning
from diet_core.pruning.export_preview import Choice
from diet_core.runs.folder import RunFolder
from diet_core.store.decisions.decisions import decide
from diet_core.store.loading.datasets import add_dataset, adopt_dataset, read_examples
from diet_core.store.queries.run_arrays import RunExamples, read_decisions, read_run_examples
from diet_core.workspace.ingest import reconcile


@pytest.fixture
def run(workspace, store, sentence_data, sentence_run) -> RunFolder:
    """A scoring run of the sentences in a workspace of its own, some of them decided."""
    info = add_dataset(store, sentence_data)
    folder = RunFolder(workspace.runs / sentence_run.run_id)
    shutil.copytree(sentence_run.path, folder.path)
    assert reconcile(store) == [folder.run_id]
    train = sentence_data.examples.query("split == 'train'")["example_id"].tolist()
    ranked = pruning.ranked(store, read_run_examples(store, folder.run_id), folder.run_id, "el2n")
    ids = sentence_data.examples["example_id"].to_numpy()
    order = ids[ranked.examples.positions[ranked.order]]
    decide(store, info.dataset_id, order[0], "keep")
    decide(store, info.dataset_id, order[-1], "relabel", label="neu")
    decide(store, info.dataset_id, order[len(order) // 2], "drop")
    decide(store, info.dataset_id, order[len(order) // 2 + 1], "unsure")
    assert set(train) == set(order)
    return folder


RULES = [
    None,
    Rule(),
    Rule(keep=0.5, drop_hardest=0.1, per_class=True),
    Rule(by="aum", keep=0.3),
    Rule(kind="window", low=0.1, high=1.1),
    Rule(kind="random", keep=0.5, seed=3),
]


def kept_by(store, run, rule) -> tuple[RunExamples, np.ndarray]:
    examples = read_run_examples(store, run.run_id)
    return examples, pruning.kept_of(pruning.ranked(store, examples, run.run_id, rule.by), rule)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("is_decided", [True, False])
def test_a_preview_counts_what_the_export_writes(store, run, rule, is_decided):
    source = export_preview.source_rows(store, "sentences")
    decisions = read_decisions(store, "sentences-v1") if is_decided else None
    found = export_preview.preview_of(
        source, *(kept_by(store, run, rule) if rule else (None, None)), decisions
    )
    choice = Choice("sentences", rule and run.run_id, rule, is_decided, False, "csv")
    file, content = export_preview.prepare(store, choice, run if rule else None)
    assert content["rows"] == found.rows
    assert content["dropped"] == found.outcome.n_dropped
    assert content["relabelled"] == found.outcome.n_relabelled
    assert content["test_rows"] == found.test_rows
    manifest = json.loads(Path(content["manifest"]).read_text(encoding="utf-8"))
    assert manifest["rows"]["in"] == found.rows_in
    gone = export_preview.shown_rows(source, found, np.flatnonzero(~found.is_exported))
    assert _ids(store, gone) == [row["example_id"] for row in manifest["dropped"]]
    assert (gone["by"] == "").sum() == 0
    stay = export_preview.shown_rows(source, found, np.flatnonzero(found.is_exported))
    changed = stay[stay["label"] != stay["new_label"]]
    assert _ids(store, changed) == [row["example_id"] for row in manifest["relabelled"]]
    assert len(file.read_text(encoding="utf-8").splitlines()) == found.rows + 1


def _ids(store, rows: pd.DataFrame) -> list[str]:
    return read_examples(store, "sentences-v1")["example_id"].to_numpy()[rows["position"]].tolist()


@pytest.mark.parametrize("format", export_preview.FORMATS)
@pytest.mark.parametrize("with_split", [True, False])
def test_a_download_has_the_bytes_of_the_command_line(store, run, tmp_path, monkeypatch, format, with_split):
    choice = Choice("sentences", run.run_id, Rule(), True, with_split, format)
    file, _ = export_preview.prepare(store, choice, run)
    store.close()
    monkeypatch.chdir(tmp_path)
    words = export_preview.command(choice).removeprefix("python -m diet_core ").split()
    assert main(words) == 0
    assert (tmp_path / file.name).read_bytes() == file.read_bytes()
    manifests = [
        json.loads(path.with_name(path.name + ".manifest.json").read_text(encoding="utf-8"))
        for path in (tmp_path / file.name, file)
    ]
    for manifest in manifests:
        del manifest["made_at"]
    assert manifests[0] == manifests[1]


def test_a_second_download_is_the_same_file(store, run):
    choice = Choice("sentences", None, None, True, False, "csv")
    first, _ = export_preview.prepare(store, choice, None)
    before = first.read_bytes()
    again, _ = export_preview.prepare(store, choice, None)
    assert again == first
    assert again.read_bytes() == before
    assert first.is_relative_to(store.workspace.cache / "exports")
    assert first.name == "sentences-clean.csv"


def test_old_downloads_are_forgotten(store, run, monkeypatch):
    monkeypatch.setattr(export_preview, "KEPT_EXPORTS", 2)
    files = [
        export_preview.prepare(store, Choice("sentences", None, None, True, False, format), None)[0]
        for format in ("csv", "tsv", "jsonl")
    ]
    assert [file.exists() for file in files] == [False, True, True]


def test_a_run_of_another_version_is_refused(store, run, sentence_data):
    shorter = sentence_data.examples.iloc[:-20]
    import dataclasses

    add_dataset(store, dataclasses.replace(sentence_data, examples=shorter), overwrite=True)
    with pytest.raises(RunStateError, match="did not score the present version"):
        export_preview.preview_of(
            export_preview.source_rows(store, "sentences"), *kept_by(store, run, Rule()), None
        )


def test_a_data_set_without_its_rows_cannot_be_exported(store, reviews):
    adopt_dataset(store, reviews.info, reviews.examples)
    with pytest.raises(DataError, match="cannot be read"):
        export_preview.source_rows(store, "reviews")
    with pytest.raises(NotFoundError, match="no data set"):
        export_preview.source_rows(store, "nothing")


def test_commands_name_every_choice():
    rule = Rule(by="aum", keep=0.667, drop_hardest=0.04, per_class=True)
    run_id = "reviews-20261121-142530-1a2b"
    assert RUN_ID.match(run_id)
    assert export_preview.command(Choice("reviews", run_id, rule, False, True, "tsv")) == (
        "python -m diet_core export reviews --out reviews-clean.tsv --run reviews-20261121-142530-1a2b "
        "--by aum --keep 0.667 --drop-hardest 0.04 --per-class --no-decisions --with-split"
    )
