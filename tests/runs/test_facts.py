"""What a finished run is made of: facts, and scores that follow from them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diet_core.errors import RunStateError
from diet_core.runs.facts import read_facts, read_snapshot
from diet_core.runs.folder import RunFolder
from diet_core.runs.scores import scores_table, seed_scores_table
from diet_core.runs.summary import score_summary
from diet_core.scoring.el2n import el2n, grand
from diet_core.scoring.label_confusions import label_confusions
from diet_core.tables import SCORE_COLUMNS


def copy_of(folder: RunFolder, place: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(folder.path, place / "runs" / folder.run_id)))


def test_facts_have_one_row_per_training_example_and_no_test_example(sentence_run):
    snapshot = read_snapshot(sentence_run)
    training = snapshot.loc[snapshot["split"] == "train", "example_id"].tolist()
    for seed in (0, 1):
        table = pq.read_table(sentence_run.training_folder(f"seed-{seed}") / "step-000012.parquet")
        assert table.column_names == ["example_id", "logits", "feature_norm", "grad_norm"]
        assert table.column("example_id").to_pylist() == training
        assert table.schema.field("logits").type == pa.list_(pa.float32(), 3)
        assert table.schema.field("feature_norm").type == pa.float32()
        assert table.column("grad_norm").null_count == len(training)


def test_features_are_kept_of_the_first_seed(sentence_run):
    table = pq.read_table(sentence_run.training_folder("seed-0") / "features.parquet")
    assert table.schema.field("features").type == pa.list_(pa.float16(), 16)
    assert not (sentence_run.training_folder("seed-1") / "features.parquet").exists()
    norms = np.linalg.norm(np.stack(table.column("features").to_numpy()).astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, read_facts(sentence_run).feature_norm[0, -1], rtol=2e-3)


def test_scores_have_the_columns_of_the_contract(sentence_run):
    scores = scores_table(read_facts(sentence_run))
    assert list(scores) == [column for column in SCORE_COLUMNS if column != "text_pair"]
    snapshot = read_snapshot(sentence_run)
    training = snapshot[snapshot["split"] == "train"]
    for column in ("example_id", "text", "label"):
        assert scores[column].tolist() == training[column].tolist()


def test_scores_are_null_where_there_is_no_fact(sentence_run):
    scores = scores_table(read_facts(sentence_run))
    unknown = [column for column in scores if scores[column].isna().all()]
    assert unknown == ["variability", "forgetting"]  # one checkpoint
    assert not scores.drop(columns=unknown).isna().to_numpy().any()
    table = pq.read_table(sentence_run.scores_file)
    assert [table.column(name).null_count for name in unknown] == [len(scores)] * 2


def test_el2n_and_grand_follow_from_the_stored_facts(sentence_run):
    facts, scores = read_facts(sentence_run), pd.read_parquet(sentence_run.scores_file)
    logits, norms = facts.logits[:, -1], facts.feature_norm[:, -1]
    np.testing.assert_allclose(scores["el2n"], el2n(logits, facts.labels), rtol=0, atol=1e-9)
    np.testing.assert_allclose(scores["grand"], grand(logits, facts.labels, norms), rtol=0, atol=1e-9)


def test_el2n_is_the_length_of_the_error_vector(sentence_run):
    facts = read_facts(sentence_run)
    z = facts.logits[:, -1].astype(np.float64)
    p = np.exp(z - z.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    lengths = np.sqrt(((p - np.eye(3)[facts.labels]) ** 2).sum(axis=2))
    scores = scores_table(facts)
    np.testing.assert_allclose(scores["el2n"], lengths.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(scores["el2n_std"], lengths.std(axis=0, ddof=1), atol=1e-9)


def test_predictions_and_suggestions_follow_from_the_mean_probabilities(sentence_run):
    facts = read_facts(sentence_run)
    z = facts.logits[:, -1].astype(np.float64)
    p = (np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)).mean(axis=0)
    scores, classes = scores_table(facts), np.array(facts.classes)
    assert scores["predicted_label"].tolist() == classes[p.argmax(axis=1)].tolist()
    rows = np.arange(len(p))
    posterior = p * label_confusions(p, facts.labels)[facts.labels]
    posterior /= posterior.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores["self_confidence"], p[rows, facts.labels], atol=1e-9)
    np.testing.assert_allclose(scores["label_error"], 1 - posterior[rows, facts.labels], atol=1e-9)
    posterior[rows, facts.labels] = -1
    assert scores["suggested_label"].tolist() == classes[posterior.argmax(axis=1)].tolist()
    np.testing.assert_allclose(scores["suggested_probability"], posterior.max(axis=1), atol=1e-9)


def test_the_stored_scores_are_the_derived_ones(sentence_run):
    stored = pd.read_parquet(sentence_run.scores_file)
    derived = scores_table(read_facts(sentence_run))
    pd.testing.assert_frame_equal(stored, derived, check_dtype=False, rtol=0, atol=0)


def test_scores_follow_the_ids_whatever_the_order_of_the_rows(sentence_run, tmp_path):
    folder = copy_of(sentence_run, tmp_path)
    file = folder.training_folder("seed-1") / "step-000012.parquet"
    table = pq.read_table(file)
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), file)
    pd.testing.assert_frame_equal(
        scores_table(read_facts(folder)), scores_table(read_facts(sentence_run)), rtol=0, atol=0
    )


def test_facts_that_lack_examples_are_refused(sentence_run, tmp_path):
    folder = copy_of(sentence_run, tmp_path)
    file = folder.training_folder("seed-0") / "step-000012.parquet"
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(RunStateError, match=r"seed-0/step-000012\.parquet .* lacks examples"):
        read_facts(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("seed-0/step-000012.parquet", None),
        ("seed-0/step-000012.parquet", b"PAR1 cut off"),
        ("examples.parquet", None),
        ("examples.parquet", b""),
        ("seed-1/result.json", b"{"),
    ],
)
def test_facts_that_cannot_be_read_are_named(sentence_run, tmp_path, name, content):
    folder = copy_of(sentence_run, tmp_path)
    (folder.path / name).unlink()
    if content is not None:
        (folder.path / name).write_bytes(content)
    with pytest.raises(RunStateError, match=f"{name} of run {folder.run_id} cannot be read"):
        read_facts(folder)


def test_seed_scores_have_a_row_per_seed_and_example(sentence_run):
    facts = read_facts(sentence_run)
    table = seed_scores_table(facts)
    assert list(table) == ["seed", "step", "example_id", "el2n", "grand", "predicted", "label_probability"]
    logits = facts.logits[1, -1]
    of_last = table[(table["seed"] == 1) & (table["step"] == facts.steps[-1])]
    assert of_last["predicted"].tolist() == logits.argmax(axis=1).tolist()
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = probs[np.arange(len(facts.labels)), facts.labels]
    np.testing.assert_allclose(of_last["label_probability"], expected, rtol=1e-5)
    assert table.groupby("seed").size().tolist() == [len(facts.labels)] * 2
    means = table.groupby("example_id")["el2n"].mean()
    scores = scores_table(facts).set_index("example_id")
    np.testing.assert_allclose(means[scores.index], scores["el2n"], atol=1e-12)


def test_metrics_have_a_line_per_seed_and_epoch(sentence_run):
    lines = [json.loads(line) for line in sentence_run.metrics_file.read_text().splitlines()]
    assert [(line["seed"], line["epoch"]) for line in lines] == [(s, e) for s in (0, 1) for e in (1, 2, 3)]
    snapshot = read_snapshot(sentence_run)
    assert {line["n_train"] for line in lines} == {(snapshot["split"] == "train").sum()}
    assert set(lines[0]["per_class_recall"]) == {"neg", "neu", "pos"}


def test_summary_has_what_the_contract_says(sentence_run):
    summary = score_summary(sentence_run)
    assert set(summary["seconds"]) == {"train", "score", "total"}
    agreement = summary["seed_agreement"]
    assert {"single", "pairs", "leave_one_out", "estimate", "reliability"} <= set(agreement)
    assert (len(agreement["single"]), len(agreement["pairs"])) == (2, 1)
    last = [json.loads(line) for line in sentence_run.metrics_file.read_text().splitlines()][2::3]
    assert summary["accuracy"]["mean"] == pytest.approx(np.mean([m["accuracy"] for m in last]))
    assert summary["accuracy"]["std"] == pytest.approx(np.std([m["accuracy"] for m in last], ddof=1))


def test_kept_models_give_the_stored_logits(sentence_run):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    facts = read_facts(sentence_run)
    for i, seed in enumerate(facts.seeds):
        folder = sentence_run.training_folder(f"seed-{seed}") / "model"
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        tokens = AutoTokenizer.from_pretrained(folder)(
            facts.examples["text"].tolist(), padding=True, truncation=True, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = model(**tokens).logits.numpy()
        np.testing.assert_allclose(logits, facts.logits[i, -1], rtol=0, atol=1e-5)
        assert model.config.id2label == dict(enumerate(facts.classes))
        assert model.config.label2id == {name: k for k, name in enumerate(facts.classes)}
        assert (folder / "model.safetensors").exists()


def test_seeds_differ(sentence_run):
    logits = read_facts(sentence_run).logits
    assert np.abs(logits[0] - logits[1]).max() > 1e-3
