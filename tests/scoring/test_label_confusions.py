"""Which label is written for which class: the arithmetic, a run, the page and the command line."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from diet_core.review.seeds import label_confusions
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder, write_json
from diet_core.runs.scores import flows
from diet_core.scoring.label_confusions import Flow, largest_flows
from diet_core.scoring.label_noise import confident_joint, label_flows
from diet_core.scoring.labels import mean_probs
from tests.pages.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("fresh_caches")

CLASSES = ["negative", "positive"]
FLOWS = [
    {"given": "positive", "true": "negative", "share": 0.124},
    {"given": "negative", "true": "<b>positive</b>", "share": 0.004},
]
SENTENCES = ["positive written for negative: 12 %", "negative written for <b>positive</b>: 0.4 %"]


def with_flows(folder, flows):
    folder.path.mkdir(parents=True, exist_ok=True)
    write_json(folder.config_file, {"kind": "score", "units": [], "dataset": {"classes": CLASSES}})
    write_json(folder.status_file, {"state": "done"} | flows)


def test_flows_come_by_the_number_of_their_examples():
    rng = np.random.default_rng(0)
    flows = rng.dirichlet(np.ones(4), size=4).T
    n_true = rng.integers(1, 100, 4)
    expected = sorted(
        ((flows[s, k] * n_true[k], s, k) for s in range(4) for k in range(4) if s != k), reverse=True
    )
    found = largest_flows(flows, n_true, 100)
    assert [(f.given, f.true) for f in found] == [(s, k) for _, s, k in expected]
    assert all(f.share == flows[f.given, f.true] for f in found)
    assert largest_flows(flows, n_true, 3) == found[:3]


def test_flows_without_an_example_are_left_out():
    flows = [[1.0, 0.0, 0.2], [0.0, 1.0, 0.0], [0.0, 0.0, 0.8]]
    assert largest_flows(flows, [5, 5, 5]) == [Flow(0, 2, 0.2)]
    assert largest_flows(flows, [5, 5, 0]) == []


def test_flows_of_equal_size_keep_the_order_of_the_classes():
    even = np.full((3, 3), 1 / 3)
    assert [(f.given, f.true) for f in largest_flows(even, [1, 1, 1])][:3] == [(0, 1), (0, 2), (1, 0)]


def test_the_page_shows_the_flows_as_sentences(store, scored, workspace):
    with_flows(RunFolder(workspace.run_folder(scored.run_id)), {"flows": FLOWS})
    assert label_confusions(store, scored.run_id) == FLOWS
    test = app("review")
    assert not test.exception
    (expander,) = [e for e in test.expander if e.label == "What the ranking assumes"]
    assert not expander.proto.expanded
    assert [line.value for line in expander.text] == SENTENCES


@pytest.mark.parametrize("left", [{}, {"flows": None}, {"flows": []}])
def test_the_page_of_a_run_without_flows_shows_none(store, scored, workspace, left):
    with_flows(RunFolder(workspace.run_folder(scored.run_id)), left)
    test = app("review")
    assert not test.exception
    assert not test.expander
    assert "written for" not in shown(test)


def test_flows_of_a_run_whose_folder_is_gone_are_none(store, scored):
    assert label_confusions(store, scored.run_id) == []


def test_a_run_leaves_the_flows_of_its_ranking(sentence_run):
    facts = read_facts(sentence_run)
    probs = mean_probs(facts.logits[:, -1])
    table = label_flows(probs, facts.labels)
    n_true = confident_joint(probs, facts.labels).sum(axis=0)
    left = sentence_run.status()["flows"]
    assert left == flows(facts)
    assert 1 <= len(left) <= 6
    numbers = []
    for flow in left:
        s, k = facts.classes.index(flow["given"]), facts.classes.index(flow["true"])
        assert s != k
        assert flow["share"] == pytest.approx(table[s, k], rel=1e-12)
        numbers.append(table[s, k] * n_true[k])
    assert numbers == sorted(numbers, reverse=True)


def test_flows_of_a_run_with_folds_are_out_of_fold(sentence_run):
    facts = read_facts(sentence_run)
    logits = np.random.default_rng(0).normal(0, 2, facts.logits[:, -1].shape).astype(np.float32)
    found = flows(dataclasses.replace(facts, oof_logits=logits))
    assert found != flows(facts)
    assert found == flows(dataclasses.replace(facts, logits=logits[:, None]))


def test_suspects_tell_the_flows_that_the_run_left(copied, said):
    write_json(copied.status_file, copied.status() | {"flows": FLOWS})
    assert said("suspects", "latest", "-n", 1)["flows"] == FLOWS
    assert said("suspects", "latest", "-n", 1, "--step", 12)["flows"] is None


def test_suspects_of_a_run_without_flows_tell_none(copied, said):
    status = {name: value for name, value in copied.status().items() if name != "flows"}
    write_json(copied.status_file, status)
    assert said("suspects", "latest", "-n", 1)["flows"] is None
