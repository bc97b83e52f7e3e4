"""Runs that score at several steps, from the beginning to the end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import diet_core as diet
from diet_core.config import TrainingConfig
from diet_core.runs.facts import read_facts
from diet_core.runs.score_run import lay_out_scoring
from diet_core.store.loading.runs import read_scores
from diet_core.store.store import open_store
from diet_core.workspace.ingest import reconcile

TRAINING = {"epochs": 2, "lr": 5e-3}


@pytest.fixture
def score(sentence_data, tiny_model, workspace):
    """A function that scores the sentences with two seeds and two epochs of four steps."""

    def score(**settings) -> diet.Run:
        return diet.score(sentence_data, model=str(tiny_model), **TRAINING | {"seeds": 2} | settings)

    return score


@pytest.fixture
def worked(sentence_data, tiny_model, workspace, do_work):
    """The same without a worker's process."""

    def worked(**settings) -> diet.Run:
        training = TrainingConfig(model=str(tiny_model), **TRAINING)
        about, examples = sentence_data.info, sentence_data.examples
        folder = lay_out_scoring(workspace, about, examples, training=training, **{"seeds": 2} | settings)
        assert do_work(folder) == 0, folder.status()
        return diet.open_run(folder.path)

    return worked


def test_every_score_step_has_its_facts(score, workspace):
    run = score(score_steps="0,3,epochs", progress=False)
    assert run.state == "done"
    assert run.steps["step"].tolist() == [0, 3, 4, 8]
    assert run.steps["is_reliable"].tolist() == [False, False, True, True]
    for unit in ("seed-0", "seed-1"):
        files = sorted(file.name for file in (run.path / unit).glob("step-*.parquet"))
        assert files == [f"step-{step:06d}.parquet" for step in (0, 3, 4, 8)]
    facts = read_facts(run.folder)
    assert all(np.abs(facts.logits[:, j] - facts.logits[:, j + 1]).max() > 1e-3 for j in range(3))
    assert not run.scores.drop(columns=["text"]).isna().to_numpy().any()
    with open_store(workspace) as store:
        assert reconcile(store) == [run.run_id]
        pd.testing.assert_series_equal(read_scores(store, run.run_id)["el2n"], run.scores["el2n"])


def test_score_steps_do_not_change_the_training(worked):
    plain, stepped = worked(), worked(score_steps="0,every:3")
    np.testing.assert_array_equal(
        read_facts(plain.folder).logits[:, -1], read_facts(stepped.folder).logits[:, -1]
    )
    pd.testing.assert_series_equal(plain.scores["el2n"], stepped.scores["el2n"])


@pytest.mark.parametrize("grand", ["new", "head", "full"])
def test_wider_grand_is_measured_at_every_step(worked, grand):
    run = worked(seeds=1, score_steps=[0], grand=grand)
    facts = read_facts(run.folder)
    assert run.summary["grand"] == facts.grand == grand
    assert facts.grad_norm is not None
    assert (facts.grad_norm > 0).all()
    squares = sum(norms.astype(np.float64) ** 2 for norms in facts.grad_norm_groups.values())
    if facts.grad_norm_groups:
        np.testing.assert_allclose(np.sqrt(squares), facts.grad_norm, rtol=1e-4)
    for j, step in enumerate(facts.steps):
        np.testing.assert_allclose(run.scores_at(step)["grand"], facts.grad_norm[0, j], rtol=1e-6)


def test_price_and_unreliable_steps_are_told_in_a_notebook(score, capsys):
    run = score(seeds=1, score_steps=[0], grand="head", progress=True)
    assert run.summary["grand"] == "head"
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Scores at 2 steps: 2 passes over")
    assert lines[1] == "Scores at step 0 are unreliable: the first epoch ends at step 4."


def test_price_is_told_on_the_command_line(imported, run_verb, tiny_model):
    status, out, err = run_verb(
        *("--json", "score", "sentences", "--model", tiny_model, "--seeds", 1, "--score-steps", "0,2")
    )
    assert status == 0, err
    assert err.splitlines()[0].startswith("Scores at 3 steps: 3 passes over")
    assert '"steps": [{"step": 0, "epoch": 0.0, "reliable": false}' in out
