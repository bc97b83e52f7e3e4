"""Which label is written for which class: the arithmetic, a run, the page and the command line."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from diet_core.review.seeds import run_confusions
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder, write_json
from diet_core.runs.scores import estimated_confusions
from diet_core.scoring.label_confusions import confident_joint, label_confusions, largest_confusions
from diet_core.scoring.labels import mean_probs
from tests.pages.app_pages import app, shown
from tests.runs.made_configs import made_config

pytestmark = pytest.mark.usefixtures("fresh_caches")

CLASSES = ["negative", "positive"]
CONFUSIONS = [
    {"given": "positive", "true": "negative", "share": 0.124},
    {"given": "negative", "true": "<b>positive</b>", "share": 0.004},
]
SENTENCES = ["positive instead of negative: 12 %", "negative instead of <b>positive</b>: 0.4 %"]


def with_confusions(folder, status):
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.write_config(made_config())
    write_json(folder.status_file, {"state": "done"} | status)


def test_confusions_come_by_the_number_of_their_examples():
    rng = np.random.default_rng(0)
    confusions = rng.dirichlet(np.ones(4), size=4).T
    n_true = rng.integers(1, 100, 4)
    expected = sorted(
        ((confusions[s, k] * n_true[k], s, k) for s in range(4) for k in range(4) if s != k), reverse=True
    )
    found = largest_confusions(confusions, n_true, 100)
    assert [(s, k) for s, k, _ in found] == [(s, k) for _, s, k in expected]
    assert all(share == confusions[s, k] for s, k, share in found)
    assert largest_confusions(confusions, n_true, 3) == found[:3]


def test_confusions_without_an_example_are_left_out():
    confusions = [[1.0, 0.0, 0.2], [0.0, 1.0, 0.0], [0.0, 0.0, 0.8]]
    assert largest_confusions(confusions, [5, 5, 5]) == [(0, 2, 0.2)]
    assert largest_confusions(confusions, [5, 5, 0]) == []


def test_confusions_of_equal_size_keep_the_order_of_the_classes():
    even = np.full((3, 3), 1 / 3)
    assert [(s, k) for s, k, _ in largest_confusions(even, [1, 1, 1])][:3] == [(0, 1), (0, 2), (1, 0)]


def test_the_page_shows_the_confusions_as_sentences(store, scored, workspace):
    with_confusions(RunFolder(workspace.run_folder(scored.run_id)), {"flows": CONFUSIONS})
    assert run_confusions(store, scored.run_id) == CONFUSIONS
    test = app("review")
    assert not test.exception
    (expander,) = [e for e in test.expander if e.label == "Estimated label confusions"]
    assert not expander.proto.expanded
    assert [line.value for line in expander.text] == SENTENCES


@pytest.mark.parametrize("left", [{}, {"flows": None}, {"flows": []}])
def test_the_page_of_a_run_without_confusions_shows_none(store, scored, workspace, left):
    with_confusions(RunFolder(workspace.run_folder(scored.run_id)), left)
    test = app("review")
    assert not test.exception
    assert not test.expander
    assert "written for" not in shown(test)


def test_confusions_of_a_run_whose_folder_is_gone_are_none(store, scored):
    assert run_confusions(store, scored.run_id) == []


def test_a_run_leaves_the_confusions_of_its_ranking(sentence_run):
    facts = read_facts(sentence_run)
    probs = mean_probs(facts.logits[:, -1])
    table = label_confusions(probs, facts.labels)
    n_true = confident_joint(probs, facts.labels).sum(axis=0)
    left = sentence_run.status().flows
    assert left == estimated_confusions(facts)
    assert 1 <= len(left) <= 6
    numbers = []
    for confusion in left:
        s, k = facts.classes.index(confusion["given"]), facts.classes.index(confusion["true"])
        assert s != k
        assert confusion["share"] == pytest.approx(table[s, k], rel=1e-12)
        numbers.append(table[s, k] * n_true[k])
    assert numbers == sorted(numbers, reverse=True)


def test_confusions_of_a_run_with_folds_are_out_of_fold(sentence_run):
    facts = read_facts(sentence_run)
    logits = np.random.default_rng(0).normal(0, 2, facts.logits[:, -1].shape).astype(np.float32)
    found = estimated_confusions(dataclasses.replace(facts, oof_logits=logits))
    assert found != estimated_confusions(facts)
    assert found == estimated_confusions(dataclasses.replace(facts, logits=logits[:, None]))


def test_suspects_tell_the_confusions_that_the_run_left(copied, said):
    copied.change_status("done", flows=CONFUSIONS)
    assert said("suspects", "latest", "-n", 1)["flows"] == CONFUSIONS
    assert said("suspects", "latest", "-n", 1, "--step", 12)["flows"] is None


def test_suspects_of_a_run_without_confusions_tell_none(copied, said):
    copied.change_status("done", flows=None)
    assert said("suspects", "latest", "-n", 1)["flows"] is None
