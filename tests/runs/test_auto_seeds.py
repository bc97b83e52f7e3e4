"""`--seeds auto`: as many trainings as it takes for reliable scores, and the same number after a restart."""

import contextlib
import shutil

import numpy as np
import pytest

from diet_core.cli.verbs.runs import finished
from diet_core.config import TrainingConfig, Workspace
from diet_core.errors import SettingError
from diet_core.runs.auto_seeds import AUTO_IN_WORDS, MOST_AUTO, check_seeds, most_seeds, seeds_in_words
from diet_core.runs.cost import retraining_seconds
from diet_core.runs.estimate import notes_before
from diet_core.runs.fact_files import finished_trainings
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.score_run import lay_out_scoring
from diet_core.runs.scores import agreement
from diet_core.runs.summary import run_line, score_summary, status_line
from diet_core.scoring.agreement import (
    ENOUGH_RELIABILITY,
    correlation_between_seeds,
    has_enough_seeds,
    own_reliability,
    reliability,
)
from diet_core.store.queries.one_example import read_seed_matrix
from diet_core.worker.__main__ import Stopped
from diet_core.worker.trainings import run_all
from diet_core.workspace.ingest import ingest, reconcile

EPOCHS = 3


def plan(to, data, model, **more) -> RunFolder:
    """A run whose encoder stays frozen, of which seeds agree soon; with `lr` it is trained, a little."""
    how = {"epochs": 1, "lr": more.pop("lr")} if "lr" in more else {"epochs": EPOCHS, "encoder": "frozen"}
    settings = {"seeds": "auto"} | more
    training = TrainingConfig(model=str(model), batch_size=16, **how)
    return lay_out_scoring(Workspace(to), data.info, data.examples, training=training, **settings)


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory, sentence_data, tiny_model, do_work) -> RunFolder:
    """A run whose seeds agree before there are ten."""
    run = plan(tmp_path_factory.mktemp("agreeing"), sentence_data, tiny_model)
    assert do_work(run) == 0
    return run


@pytest.fixture(scope="module")
def disagreeing(tmp_path_factory, sentence_data, tiny_model, do_work) -> RunFolder:
    """A run of no training to speak of: seeds are random classifiers."""
    run = plan(tmp_path_factory.mktemp("disagreeing"), sentence_data, tiny_model, lr=1e-9)
    assert do_work(run) == 0
    return run


def test_enough_is_what_four_seeds_reach_at_the_papers_agreement():
    r = correlation_between_seeds(0.9311, 5)
    assert reliability(r, 3) == pytest.approx(0.968, abs=5e-4)
    assert reliability(r, 4) == pytest.approx(0.976, abs=5e-4)
    assert reliability(r, 3) < ENOUGH_RELIABILITY <= reliability(r, 4)
    assert max(reliability(r, k + 1) - reliability(r, k) for k in (4, 5, 6)) < 0.005


def test_one_seed_is_never_enough():
    assert not has_enough_seeds(None)
    assert own_reliability(None) is None


def test_seeds_whose_agreement_is_unknown_are_not_enough():
    nan = float("nan")
    assert not has_enough_seeds({"single": [nan, nan], "reliability": {"2": nan}})


def test_auto_stops_at_the_first_number_that_is_enough(agreeing):
    facts = read_facts(agreeing)
    n = len(facts.seeds)
    assert 2 <= n < MOST_AUTO
    found = {k: own_reliability(agreement(_first(facts, k))) for k in range(2, n + 1)}
    assert found[n] >= ENOUGH_RELIABILITY
    assert all(value < ENOUGH_RELIABILITY for k, value in found.items() if k < n)


def _first(facts, k):
    import dataclasses

    return dataclasses.replace(facts, logits=facts.logits[:k], seeds=facts.seeds[:k])


def test_auto_stops_at_ten_when_seeds_do_not_agree(disagreeing):
    assert len(read_facts(disagreeing).seeds) == MOST_AUTO
    assert disagreeing.status().state == "done"


def test_a_run_that_took_fewer_seeds_is_done_everywhere(agreeing, store):
    n = len(read_facts(agreeing).seeds)
    assert agreeing.config().seeds == "auto"
    assert len(agreeing.config().trainings) == MOST_AUTO
    status = agreeing.status()
    assert status.state == "done"
    assert status.step == status.total == n * agreeing.result("seed-0")["steps"][-1]
    assert not status.at_most
    assert run_line(agreeing)["state"] == "done"
    summary = score_summary(agreeing)
    assert summary["auto"] == f"auto: {n} seeds, reliability {own_reliability(summary['seed_agreement']):.3f}"
    assert summary["seeds"] == n
    assert len(summary["seed_agreement"]["single"]) == n
    assert retraining_seconds(agreeing, [10], 1, 1) > 0
    ingest(store, agreeing)
    assert read_seed_matrix(store, agreeing.run_id).shape[0] == n
    assert reconcile(store) == []


def test_status_says_at_most_while_the_number_is_open(tmp_path, sentence_data, tiny_model):
    run = plan(tmp_path, sentence_data, tiny_model)
    stop_at(run, 5)
    line = status_line(run)
    assert line["at_most"]
    n_train = int((sentence_data.examples["split"] == "train").sum())
    assert line["total"] == MOST_AUTO * EPOCHS * run_settings(run).epoch_steps(n_train)
    assert line["auto"] == "auto: 0 seeds"


def run_settings(run: RunFolder) -> TrainingConfig:
    return run.config().settings


def stop_at(run: RunFolder, n: int) -> None:
    """Do the run's work until its n-th look whether to stop."""
    import torch

    calls = iter(range(n))

    def check() -> None:
        if next(calls, None) is None:
            raise Stopped

    try:
        with contextlib.suppress(Stopped):
            run_all(run, check, lambda line: None)
    finally:
        torch.use_deterministic_algorithms(False)


def test_an_auto_run_that_was_stopped_takes_the_same_seeds(agreeing, tmp_path, sentence_data, tiny_model):
    run = plan(tmp_path, sentence_data, tiny_model)
    for n in (12, 30, 100_000):
        stop_at(run, n)
    assert run.status().state == "done"
    assert list(finished_trainings(run)) == list(finished_trainings(agreeing))
    assert run.scores_file.read_bytes() == agreeing.scores_file.read_bytes()


def test_auto_with_folds_ends_with_whole_seeds(tmp_path, sentence_data, tiny_model, do_work):
    run = plan(tmp_path, sentence_data, tiny_model, folds=2)
    assert do_work(run) == 0
    facts = read_facts(run)
    assert facts.oof_logits is not None
    assert len(facts.oof_logits) == len(facts.seeds) < MOST_AUTO
    assert len(finished_trainings(run)) == 3 * len(facts.seeds)
    assert np.isfinite(facts.oof_logits).all()


def test_the_price_of_auto_is_told_as_the_most(agreeing, sentence_data):
    assert AUTO_IN_WORDS in notes_before(agreeing, sentence_data.examples)
    assert "from 2 to 10" in AUTO_IN_WORDS


@pytest.mark.parametrize("seeds", [1, 5, "auto"])
def test_these_seeds_can_be_asked_for(seeds):
    check_seeds(seeds)
    assert most_seeds(seeds) == (10 if seeds == "auto" else seeds)


@pytest.mark.parametrize("seeds", [0, -1, "many", "", 2.5])
def test_other_seeds_are_refused(seeds):
    with pytest.raises(SettingError, match="whole number of at least 1, or auto"):
        check_seeds(seeds)


def test_seeds_in_words_say_one_seed_without_a_reliability():
    assert seeds_in_words(1, None) == "auto: 1 seed"


def test_impossible_seeds_are_refused(imported, refused, tiny_model):
    assert "'many' is neither a whole number nor auto" in refused("score", "--seeds", "many")
    assert "seeds is 0" in refused("score", "--model", tiny_model, "--seeds", 0)


def test_status_and_summary_say_what_auto_came_to(agreeing, workspace, run_verb, said):
    shutil.copytree(agreeing.path, workspace.runs / agreeing.run_id)
    words = score_summary(agreeing)["auto"]
    assert said("status", "latest")["auto"] == words
    _, out, _ = run_verb("status", "latest")
    assert words in out
    assert "at most" not in out
    assert f"Seeds {words}" in finished(agreeing).text


def test_progress_says_at_most_while_the_number_is_open(sentence_data, tiny_model, workspace, run_verb):
    run = plan(workspace.root, sentence_data, tiny_model)
    stop_at(run, 5)
    _, out, _ = run_verb("status", run.run_id)
    assert "of at most" in out
