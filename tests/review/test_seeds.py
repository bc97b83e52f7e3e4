import shutil

import numpy as np
import pandas as pd
import pytest

from diet_core.config import Workspace
from diet_core.errors import NotFoundError
from diet_core.review.seeds import example_seeds, run_agreement
from diet_core.runs.facts import read_facts
from diet_core.scoring.el2n import error_norms, log_softmax
from diet_core.store.loading.runs import ingest_run
from diet_core.store.queries.one_example import read_seed_matrix
from diet_core.store.store import open_store
from diet_core.workspace.ingest import reconcile
from tests.runs.stepped_runs import add_steps


@pytest.fixture
def own_store(tmp_path, sentence_run):
    """A store with the sentences' run, in a workspace of its own."""
    workspace = Workspace(tmp_path / "own")
    shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id)
    with open_store(workspace) as store:
        reconcile(store)
        yield store


def test_example_seeds_say_what_the_facts_say(own_store, sentence_run):
    facts = read_facts(sentence_run)
    probs = np.exp(log_softmax(facts.logits[:, -1]))
    norms = error_norms(facts.logits[:, -1], facts.labels)
    for row in (0, 17, len(facts.examples) - 1):
        found = example_seeds(
            own_store, sentence_run.run_id, *facts.examples.loc[row, ["example_id", "label"]]
        )
        assert found["seed"].tolist() == list(facts.seeds)
        assert found["predicted_label"].tolist() == [facts.classes[k] for k in probs[:, row].argmax(axis=1)]
        np.testing.assert_allclose(found["label_probability"], probs[:, row, facts.labels[row]])
        np.testing.assert_allclose(found["el2n"], norms[:, row])


def test_of_several_steps_the_last_one_counts(workspace, copied):
    add_steps(copied, (0, 2, 4, 8))
    last = read_facts(copied)
    with open_store(workspace) as store:
        reconcile(store)
        assert len(store.rows("SELECT DISTINCT seed, step FROM seed_scores")) == 10
        norms = error_norms(last.logits[:, -1], last.labels)
        np.testing.assert_array_equal(read_seed_matrix(store, copied.run_id), norms)
        found = example_seeds(store, copied.run_id, *last.examples.loc[17, ["example_id", "label"]])
        assert found["step"].tolist() == [12, 12]
        np.testing.assert_allclose(found["el2n"], norms[:, 17])
        probs = np.exp(log_softmax(last.logits[:, -1, 17]))
        np.testing.assert_allclose(found["label_probability"], probs[:, last.labels[17]])
        agreement = run_agreement(store, copied.run_id)
        shutil.rmtree(copied.path)
        assert run_agreement(store, copied.run_id)["single"] == pytest.approx(agreement["single"])


def test_example_seeds_without_a_folder_leave_predictions_out(store, scored):
    found = example_seeds(store, scored.run_id, "r1", "positive")
    assert found["seed"].tolist() == [0, 1]
    assert found["el2n"].tolist() == [1.4, 1.4]
    assert found["predicted_label"].isna().all()


def test_example_seeds_of_an_unknown_example_are_none(own_store, sentence_run):
    assert example_seeds(own_store, sentence_run.run_id, "nowhere", "pos").empty


def test_example_seeds_of_an_unknown_run_is_a_clear_error(store):
    with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
        example_seeds(store, "nowhere", "r0", "pos")


def test_run_agreement_is_the_same_with_and_without_the_folder(own_store, sentence_run):
    left = run_agreement(own_store, sentence_run.run_id)
    assert left == sentence_run.status().seed_agreement
    shutil.rmtree(own_store.workspace.run_folder(sentence_run.run_id))
    anew = run_agreement(own_store, sentence_run.run_id)
    assert anew["single"] == pytest.approx(left["single"])
    assert anew["reliability"] == pytest.approx(left["reliability"])


def test_run_agreement_of_one_seed_is_none(store, scored, synthetic_scores):
    one = pd.DataFrame(
        {"seed": 0, "step": 7, "example_id": synthetic_scores["example_id"], "el2n": synthetic_scores["el2n"]}
    )
    ingest_run(store, scored, synthetic_scores, one, pd.DataFrame())
    assert run_agreement(store, scored.run_id) is None
    ingest_run(store, scored, synthetic_scores, pd.DataFrame(), pd.DataFrame())
    assert run_agreement(store, scored.run_id) is None


def test_seed_matrix_takes_the_last_step_in_the_order_of_the_data_set(store, scored, synthetic_scores):
    ids = synthetic_scores["example_id"]
    steps = [
        pd.DataFrame({"seed": seed, "step": step, "example_id": ids, "el2n": seed + step + np.arange(216.0)})
        for seed in (0, 1)
        for step in (7, 14)
    ]
    shuffled = pd.concat(steps).sample(frac=1, random_state=1)
    ingest_run(store, scored, synthetic_scores, shuffled, pd.DataFrame())
    expected = 14 + np.arange(216.0)
    np.testing.assert_array_equal(read_seed_matrix(store, scored.run_id), [expected, expected + 1])
