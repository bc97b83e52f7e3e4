"""`bench noise`: planted errors are those that were asked for, and what is measured is what the words say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from bench.noise.noise import AS_LABELLED, SCORES, cases_of, covered, quality
from bench.noise.planting import Noise, noise_of, planted
from diet_core.errors import SettingError
from diet_core.store.loading.datasets import find_dataset, read_examples
from diet_core.store.store import open_store


@pytest.fixture
def true_labels():
    return np.random.default_rng(0).integers(0, 6, 3000)


@pytest.mark.parametrize("name", ["uniform-10", "next-30", "one-way-20"])
def test_a_noise_is_named_by_kind_and_percent(name):
    assert noise_of(name).name == name


@pytest.mark.parametrize("name", ["uniform", "next-0", "next-100", "other-10", "next-1O", "next-10\n"])
def test_other_names_are_no_noise(name):
    with pytest.raises(SettingError, match="names no noise"):
        noise_of(name)


def test_uniform_errors_go_to_all_other_classes_alike(true_labels):
    written = planted(true_labels, 6, Noise("uniform", 30), draw=0)
    wrong = written != true_labels
    assert wrong.sum() == 900
    shifts = np.bincount((written - true_labels)[wrong] % 6, minlength=6)
    assert shifts[0] == 0
    assert (abs(shifts[1:] - 180) < 60).all()


def test_next_errors_write_the_class_behind(true_labels):
    written = planted(true_labels, 6, Noise("next", 10), draw=0)
    wrong = written != true_labels
    assert wrong.sum() == 300
    assert set(((written - true_labels)[wrong] % 6).tolist()) == {1}


def test_one_way_errors_write_the_first_class_for_the_last(true_labels):
    written = planted(true_labels, 6, Noise("one-way", 20), draw=0)
    wrong = written != true_labels
    assert wrong.sum() == round(0.2 * (true_labels == 5).sum())
    assert set(true_labels[wrong].tolist()) == {5}
    assert set(written[wrong].tolist()) == {0}


def test_draws_differ_and_repeat(true_labels):
    one, other = (planted(true_labels, 6, Noise("next", 10), draw) for draw in (0, 1))
    assert (one != other).any()
    assert (one == planted(true_labels, 6, Noise("next", 10), 0)).all()


def test_cases_take_the_labels_for_the_truth_only_where_errors_are_planted(true_labels):
    people = (true_labels + 1) % 6
    cases = cases_of(true_labels, people, 6, [Noise("next", 10)], draws=2)
    assert [(case.noise, case.draw) for case in cases] == [(AS_LABELLED, 0), ("next-10", 0), ("next-10", 1)]
    assert (cases[0].labels == true_labels).all()
    assert (cases[0].truth == people).all()
    assert (cases[1].truth == true_labels).all()


def test_quality_of_a_ranking_by_hand():
    """Wrong labels at ranks 1 and 3 of 4: average precision (1/1 + 2/3) / 2, AUROC 3 of 4 pairs."""
    found = quality(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    assert found["average_precision"] == pytest.approx(5 / 6)
    assert found["auroc"] == pytest.approx(3 / 4)
    assert found["precision_top_1"] == found["precision_top_5"] == 1


def test_every_score_puts_the_suspicious_first():
    labels = np.repeat([0, 1, 2], 40)
    logits = (4.0 * np.eye(3)[labels])[None].astype(np.float32)
    logits[0, 0] = [0, 4, 0]  # labelled 0, looks like 1
    for name, score in SCORES.items():
        if name != "random":
            assert score(logits, labels).argmax() == 0, name


def test_audits_cover_the_true_share_about_as_often_as_they_say():
    is_wrong = np.random.default_rng(0).random(3000) < 0.2
    assert 90 <= covered([str(i) for i in range(3000)], is_wrong) <= 100


@pytest.fixture
def measured(said, imported, tiny_model, monkeypatch):
    """A function that runs `bench noise` on the tiny model and leaves torch as it was."""
    monkeypatch.setenv("GOMP_SPINCOUNT", "1")

    def measured(*arguments: object) -> dict:
        try:
            return said("bench", "noise", "--model", tiny_model, "--seeds", "2", *arguments)
        finally:
            torch.use_deterministic_algorithms(False)

    return measured


def test_bench_noise_measures_planted_errors_and_keeps_the_logits(measured, workspace):
    arguments = ("--encoder", "frozen", "--noise", "next-10,one-way-50", "--draws", "2")
    found = measured(*arguments)
    assert {
        "bench": "noise",
        "dataset": "sentences",
        "encoder": "frozen",
        "seeds": 2,
    }.items() <= found.items()
    assert set(found["noises"]) == {"next-10", "one-way-50"}
    cell = found["noises"]["next-10"]
    assert cell["wrong"] == pytest.approx(0.1, abs=0.01)
    assert set(cell["scores"]) == set(SCORES)
    assert all(0 < score["average_precision"]["mean"] <= 1 for score in cell["scores"].values())
    kept = {file: file.stat().st_mtime_ns for file in (workspace.cache / "noise").iterdir()}
    assert len(kept) == 1 + 2 * 2 * 2  # the texts' features; noises, draws and seeds
    assert measured(*arguments) == found
    assert {file: file.stat().st_mtime_ns for file in (workspace.cache / "noise").iterdir()} == kept


def test_bench_noise_takes_the_truth_from_a_file(measured, workspace, tmp_path):
    with open_store(workspace) as store:
        examples = read_examples(store, find_dataset(store, "sentences").dataset_id)
    classes = sorted(set(examples["label"]))
    truth = tmp_path / "truth.csv"
    turned = examples["label"].map(dict(zip(classes, reversed(classes), strict=True)))
    right = examples["label"].where(examples.index % 5 > 0, turned)
    pd.DataFrame({"id": examples["example_id"], "right": right}).to_csv(truth, index=False)
    cell = measured("--truth", truth, "--rows", "100")["noises"][AS_LABELLED]
    assert cell["counts"]["true"] == pytest.approx(20, abs=15)
    assert set(cell["audit"]) == {"covered", "of"}


def test_bench_noise_refuses_what_it_cannot_measure(refused, imported, tiny_model, tmp_path):
    model = ("--model", tiny_model)
    assert "names no noise" in refused("bench", "noise", *model, "--noise", "odd-3")
    assert "neither a column" in refused("bench", "noise", *model, "--truth", "nowhere.csv")
    assert "belongs to bench noise" in refused("bench", "scoring", *model, "--truth", "nowhere.csv")
    assert "--draws is 0" in refused("bench", "noise", *model, "--draws", "0")
    (tmp_path / "truth.csv").write_text("id,right\nsomething,else\n", encoding="utf-8")
    assert "no right label" in refused("bench", "noise", *model, "--truth", tmp_path / "truth.csv")
    (tmp_path / "wide.csv").write_text("id,right,more\na,b,c\n", encoding="utf-8")
    assert "two" in refused("bench", "noise", *model, "--truth", tmp_path / "wide.csv")
    torch.use_deterministic_algorithms(False)
