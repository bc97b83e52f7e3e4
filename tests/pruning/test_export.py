"""The cleaned data set: the source less what rule and decisions take out, and a manifest of it."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from diet_core.config import Rule
from diet_core.data.load import load_dataset
from diet_core.dataset import Roles
from diet_core.errors import DataError, NotFoundError, RunStateError
from diet_core.pruning.export import export
from diet_core.runs.facts import read_facts
from diet_core.runs.scores import scores_table
from diet_core.selection.rules import select
from diet_core.store.decisions.decisions import decide, undo
from diet_core.store.loading.datasets import add_dataset, read_examples
from diet_core.store.loading.runs import has_run, read_run, read_scores
from diet_core.store.store import Store
from diet_core.workspace.ingest import reconcile

RULE = Rule(keep=0.6, drop_hardest=0.1)
ROLES = Roles("text", "label")


@pytest.fixture
def imported(store, sentence_data) -> Store:
    """A store with the sentences in it."""
    add_dataset(store, sentence_data)
    return store


@pytest.fixture
def training(sentence_data) -> pd.DataFrame:
    examples = sentence_data.examples
    return examples[examples["split"] == "train"].reset_index(drop=True)


@pytest.fixture
def chosen(sentence_run) -> set[str]:
    """The ids that the rule keeps."""
    return set(select(scores_table(read_facts(sentence_run)), keep=0.6, drop_hardest=0.1))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def manifest_of(out: Path) -> dict:
    return json.loads(out.with_name(out.name + ".manifest.json").read_text(encoding="utf-8"))


def expected_rows(data, dropped: set[str], labels: dict[str, str] | None = None) -> list[dict[str, str]]:
    """The source's rows, in its order, less the dropped ones, some with a new label."""
    return [
        {"text": row.text, "label": (labels or {}).get(row.example_id, row.label)}
        for row in data.examples.itertuples()
        if row.example_id not in dropped
    ]


def test_an_export_without_rule_and_decisions_is_the_source(imported, sentence_data, tmp_path):
    out = tmp_path / "out.csv"
    report = export(imported, "sentences", out)
    assert rows_of(out) == rows_of(Path(sentence_data.info.source))
    assert (report["rows"], report["dropped"], report["relabelled"]) == (120, 0, 0)
    assert report["test_rows"] == (sentence_data.examples["split"] == "test").sum()
    assert manifest_of(out)["rule"] is None
    assert manifest_of(out)["run"] is None


def test_a_rule_drops_training_rows_only(imported, sentence_data, sentence_run, training, chosen, tmp_path):
    out = tmp_path / "out.csv"
    report = export(imported, "sentences", out, run=sentence_run, rule=RULE)
    dropped = set(training["example_id"]) - chosen
    assert rows_of(out) == expected_rows(sentence_data, dropped)
    assert report["dropped"] == len(dropped)
    assert report["rows"] == 120 - len(dropped)


def test_decisions_beat_the_rule(imported, sentence_data, sentence_run, training, chosen, tmp_path):
    inside = [i for i in training["example_id"] if i in chosen]
    outside = [i for i in training["example_id"] if i not in chosen]
    old = training.set_index("example_id")["label"]
    new = {i: "pos" if old[i] != "pos" else "neg" for i in (inside[1], outside[1])}
    decide(imported, "sentences-v1", inside[0], "drop", reviewer="ann", note="spam")
    decide(imported, "sentences-v1", outside[0], "keep")
    for i, label in new.items():
        decide(imported, "sentences-v1", i, "relabel", label=label, reviewer="bob")
    decide(imported, "sentences-v1", inside[2], "unsure")
    decide(imported, "sentences-v1", outside[2], "unsure")
    decide(imported, "sentences-v1", inside[3], "drop")
    undo(imported, "sentences-v1", "me")
    out = tmp_path / "out.csv"
    report = export(imported, "sentences", out, run=sentence_run, rule=RULE)
    dropped = (set(training["example_id"]) - chosen - set(outside[:2])) | {inside[0]}
    assert rows_of(out) == expected_rows(sentence_data, dropped, new)
    assert (report["dropped"], report["relabelled"]) == (len(dropped), 2)
    manifest = manifest_of(out)
    by_person = [entry for entry in manifest["dropped"] if entry["by"] != "rule"]
    assert [(entry["example_id"], entry["by"], entry["action"]) for entry in by_person] == [
        (inside[0], "ann", "drop")
    ]
    assert {entry["example_id"] for entry in manifest["dropped"]} == dropped
    assert {(e["example_id"], e["old"], e["new"], e["by"]) for e in manifest["relabelled"]} == {
        (i, old[i], label, "bob") for i, label in new.items()
    }
    assert all(pd.Timestamp(entry["at"]).tzinfo for entry in by_person + manifest["relabelled"])


def test_decisions_alone_need_no_run(imported, sentence_data, training, tmp_path):
    gone = training["example_id"][5]
    decide(imported, "sentences-v1", gone, "drop")
    export(imported, "sentences", tmp_path / "out.csv")
    assert rows_of(tmp_path / "out.csv") == expected_rows(sentence_data, {gone})


def test_decisions_can_be_left_out(imported, sentence_data, training, tmp_path):
    decide(imported, "sentences-v1", training["example_id"][5], "drop")
    decide(imported, "sentences-v1", training["example_id"][7], "relabel", label="neu")
    report = export(imported, "sentences", tmp_path / "out.csv", with_decisions=False)
    assert (report["dropped"], report["relabelled"]) == (0, 0)
    assert rows_of(tmp_path / "out.csv") == expected_rows(sentence_data, set())


def test_undone_and_contradicted_decisions_have_no_effect(imported, sentence_data, training, tmp_path):
    first, second = training["example_id"][:2]
    decide(imported, "sentences-v1", first, "drop")
    undo(imported, "sentences-v1", "me")
    decide(imported, "sentences-v1", second, "drop", reviewer="ann")
    decide(imported, "sentences-v1", second, "keep", reviewer="bob")
    export(imported, "sentences", tmp_path / "out.csv")
    assert rows_of(tmp_path / "out.csv") == expected_rows(sentence_data, set())


def test_the_manifest_says_what_was_made_of_what(imported, sentence_data, sentence_run, tmp_path):
    out = tmp_path / "out.csv"
    report = export(imported, "sentences", out, run=sentence_run, rule=RULE)
    manifest = manifest_of(out)
    assert report["manifest"] == str(out) + ".manifest.json"
    assert manifest["output"] == {"path": "out.csv", "sha256": hashlib.sha256(out.read_bytes()).hexdigest()}
    source = Path(sentence_data.info.source)
    assert manifest["source"] == {
        "path": str(source),
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    assert manifest["dataset"] == {"name": "sentences", "version": 1}
    assert manifest["rows"] == {
        "in": 120,
        "out": len(rows_of(out)),
        "dropped": report["dropped"],
        "relabelled": 0,
        "test": report["test_rows"],
    }
    shares = {"by": "el2n", "keep": 0.6, "drop_hardest": 0.1, "per_class": False, "kind": "shares"}
    assert manifest["rule"] == shares | {"low": None, "high": None, "seed": 0}
    assert manifest["run"]["run_id"] == sentence_run.run_id
    assert manifest["run"]["seeds"] == [0, 1]
    assert manifest["run"]["model"] == sentence_run.config().settings.model
    assert {"diet-core", "torch", "transformers"} <= set(manifest["made_by"])


def test_rows_of_the_source_are_counted_as_they_are(store, sentence_data, tmp_path):
    """A test file's rows are neither in nor out; validation rows are both."""
    own, other = tmp_path / "own.csv", tmp_path / "other.csv"
    frame = pd.read_csv(sentence_data.info.source)
    splits = ["train", "train", "train", "train", "test", "validation", "train"]
    frame.assign(split=[splits[i % 7] for i in range(len(frame))]).to_csv(own, index=False)
    add_dataset(store, load_dataset("own", own, Roles("text", "label", split="split")))
    frame.head(100).to_csv(tmp_path / "train.csv", index=False)
    frame.tail(20).to_csv(other, index=False)
    add_dataset(store, load_dataset("two", tmp_path / "train.csv", ROLES, test=other))
    for name, n in (("own", 120), ("two", 100)):
        out = tmp_path / f"out-{name}.csv"
        assert export(store, name, out)["rows"] == n
        assert manifest_of(out)["rows"]["in"] == n
        assert len(rows_of(out)) == n


def test_no_test_example_becomes_a_training_example_when_imported_again(
    imported, sentence_data, sentence_run, tmp_path
):
    export(imported, "sentences", tmp_path / "out.csv", run=sentence_run, rule=RULE)
    again = load_dataset("again", tmp_path / "out.csv", ROLES).examples
    tested = sentence_data.examples.query("split == 'test'")["example_id"].tolist()
    assert again.query("split == 'test'")["example_id"].tolist() == tested


def test_with_split_adds_the_split(imported, sentence_data, tmp_path):
    export(imported, "sentences", tmp_path / "out.csv", with_split=True)
    assert [row["split"] for row in rows_of(tmp_path / "out.csv")] == sentence_data.examples["split"].tolist()


@pytest.mark.parametrize("change", ["label", "text", "row"])
def test_a_run_of_another_version_is_refused(
    imported, sentence_data, sentence_run, training, tmp_path, change
):
    """The ids may be the same: they follow from the texts or come from the file."""
    frame = pd.DataFrame(
        {
            "id": sentence_data.examples["example_id"],
            "text": sentence_data.examples["text"],
            "label": sentence_data.examples["label"],
            "split": sentence_data.examples["split"],
        }
    )
    row = int(training["source_row"][3])
    if change == "row":
        frame = frame.drop(index=row)
    else:
        frame.loc[row, change] = {"label": "neu", "text": "another text"}[change]
    file = tmp_path / "new.csv"
    frame.to_csv(file, index=False)
    roles = Roles("text", "label", id="id", split="split")
    add_dataset(imported, load_dataset("sentences", file, roles), overwrite=True)
    with pytest.raises(RunStateError, match=f"Run {sentence_run.run_id} did not score the present version"):
        export(imported, "sentences", tmp_path / "out.csv", run=sentence_run, rule=RULE)
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "out.csv.manifest.json").exists()


def test_an_unknown_data_set_is_refused(imported, tmp_path):
    with pytest.raises(NotFoundError, match="nope"):
        export(imported, "nope", tmp_path / "out.csv")


def test_an_existing_file_is_not_replaced_unless_asked(imported, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        export(imported, "sentences", out)
    assert out.read_text() == "mine"
    assert not (tmp_path / "out.csv.manifest.json").exists()
    export(imported, "sentences", out, overwrite=True)
    assert len(rows_of(out)) == 120


def test_the_same_export_twice_gives_the_same_bytes(imported, sentence_run, tmp_path):
    for name in ("a.csv", "b.csv"):
        export(imported, "sentences", tmp_path / name, run=sentence_run, rule=RULE)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


# Runs that end while nobody holds the database are loaded by whoever opens it.


def test_reconcile_loads_a_finished_run_once(imported, copied):
    assert reconcile(imported) == [copied.run_id]
    assert reconcile(imported) == []
    scores = scores_table(read_facts(copied))
    stored = read_scores(imported, copied.run_id)
    assert stored["el2n"].tolist() == scores["el2n"].tolist()
    assert stored["example_id"].tolist() == scores["example_id"].tolist()
    assert read_run(imported, copied.run_id).dataset.dataset_id == "sentences-v1"


def test_reconcile_adopts_the_data_set_of_a_notebooks_run(store, copied):
    assert copied.config().dataset.version == 0
    assert reconcile(store) == [copied.run_id]
    assert read_run(store, copied.run_id).dataset.dataset_id == "sentences-v1"
    assert len(read_examples(store, "sentences-v1")) == 120


def test_reconcile_leaves_unfinished_runs_alone(imported, copied):
    copied.change_status("running")
    assert reconcile(imported) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("seed-0/step-000012.parquet", None),
        ("seed-1/step-000012.parquet", b"cut off"),
        ("seed-0/result.json", b""),
        ("examples.parquet", None),
        ("metrics.jsonl", None),
        ("metrics.jsonl", b'{"unit": "seed'),
    ],
)
def test_reconcile_leaves_damaged_runs_alone(imported, copied, file, content):
    (copied.path / file).unlink()
    if content is not None:
        (copied.path / file).write_bytes(content)
    assert reconcile(imported) == []
    assert not has_run(imported, copied.run_id)
