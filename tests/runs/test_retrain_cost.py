"""Retrainings of a scoring run, and what another one would cost."""

from __future__ import annotations

import pytest

from diet_core.config import Rule
from diet_core.experiments.plan import lay_out_plan, retraining_plan
from diet_core.runs.retrain_cost import estimated_seconds, retrainings


def test_retrainings_are_those_of_the_run(workspace, sentence_run):
    plan = retraining_plan(Rule(), repeats=2, baselines=("random",), epochs=1)
    folder = lay_out_plan(workspace, sentence_run, plan)
    (workspace.runs / "broken-20261121-150000-ffff").mkdir()
    (workspace.runs / "broken-20261121-150000-ffff" / "config.json").write_text("{")
    assert retrainings(workspace, sentence_run.run_id) == [folder]
    assert retrainings(workspace, "reviews-20261121-142530-1a2b") == []


def test_estimate_goes_by_the_scoring_runs_speed(sentence_run):
    seconds = sentence_run.status()["seconds"]["train"]
    n = _n_train(sentence_run)
    # As many examples and epochs as its two seeds took together.
    assert estimated_seconds(sentence_run, [n], epochs=3, repeats=2) == pytest.approx(seconds)
    assert estimated_seconds(sentence_run, [n, n], epochs=3, repeats=1) == pytest.approx(seconds)


def _n_train(folder) -> int:
    from diet_core.runs.facts import read_snapshot

    return int((read_snapshot(folder)["split"] == "train").sum())
