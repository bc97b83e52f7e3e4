"""The verbs that read scores, on a run with several score steps."""

from __future__ import annotations

import pandas as pd
import pytest

from diet_core.runs.facts import read_facts
from diet_core.runs.scores import scores_table
from diet_core.runs.steps import label_shares_table, steps_table
from tests.runs.stepped_runs import add_steps

WARNING = "Scores at step 2 are unreliable: the first epoch ends at step 4.\n"


@pytest.fixture
def stepped(copied):
    """The sentences' run with the score steps 0, 2, 4, 8 and 12; an epoch has 4."""
    return add_steps(copied, (0, 2, 4, 8, 12))


def test_scores_of_a_step_say_which_and_whether_it_is_reliable(stepped, said, tmp_path):
    out = tmp_path / "scores.parquet"
    for step, is_reliable in ((0, False), (2, False), (4, True), (12, True)):
        content = said("scores", "latest", "--out", out, "--step", step)
        assert (content["run_id"], content["step"], content["reliable"]) == (
            stepped.run_id,
            step,
            is_reliable,
        )
        expected = scores_table(read_facts(stepped), step)
        pd.testing.assert_frame_equal(pd.read_parquet(out), expected, check_dtype=False)


def test_scores_without_a_step_are_those_of_the_last(stepped, said, tmp_path):
    content = said("scores", "latest", "--out", tmp_path / "s.csv")
    assert (content["step"], content["reliable"]) == (12, True)


@pytest.mark.parametrize(
    "verb", [["scores", "latest", "--out", "s.csv"], ["top", "latest"], ["suspects", "latest"]]
)
def test_an_unreliable_step_is_told_of_on_standard_error(stepped, run_verb, tmp_path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    assert run_verb(*verb, "--step", 2)[::2] == (0, WARNING)
    assert run_verb(*verb, "--step", 4)[::2] == (0, "")
    assert run_verb(*verb)[::2] == (0, "")


@pytest.mark.parametrize(("verb", "by"), [("top", "el2n"), ("suspects", "label_error")])
def test_rankings_take_the_step_that_is_asked_for(stepped, said, verb, by):
    expected = scores_table(read_facts(stepped), 8)[by]
    content = said(verb, "latest", "-n", 5, "--step", 8)
    assert (content["step"], content["reliable"]) == (8, True)
    assert [e[by] for e in content["examples"]] == expected.nlargest(5).tolist()


def test_steps_give_scores_and_shares_per_step(stepped, said):
    content = said("steps", "latest", "--by", "loss", "--top", 0.2)
    facts = read_facts(stepped)
    assert {
        "run_id": stepped.run_id,
        "grand": "classifier",
        "by": "loss",
        "top": 0.2,
    }.items() <= content.items()
    expected = steps_table(facts)
    shares = label_shares_table(facts, "loss", 0.2)
    for line, (_, row) in zip(content["steps"], expected.iterrows(), strict=True):
        assert (line["step"], line["epoch"], line["reliable"]) == (row.step, row.epoch, row.is_reliable)
        assert (line["el2n"], line["grand"]) == (row.el2n, row.grand)
        assert line["el2n_correlation"] == pytest.approx(row.el2n_correlation)
        of_step = shares[shares["step"] == row.step]
        assert line["label_shares"] == dict(zip(of_step["label"], of_step["share"], strict=True))


def test_steps_show_people_a_table(stepped, run_verb):
    status, out, err = run_verb("steps", "latest")
    assert (status, err) == (
        0,
        "Scores at steps 0 and 2 are unreliable: the first epoch ends at step 4.\n",
    )
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["step", "epoch", "reliable"]
    assert lines[0].split()[-3:] == ["neg", "neu", "pos"]
    assert [line.split()[:3] for line in lines[2:4]] == [["0", "0.00", "no"], ["2", "0.50", "no"]]
    assert lines[6].split()[:3] == ["12", "3.00", "yes"]


def test_steps_that_cannot_be_shown_are_refused(stepped, refused):
    assert "top is 0, which is no example" in refused("steps", "latest", "--top", 0)
    assert "2 is not a share" in refused("steps", "latest", "--top", 2)
    assert "Step 3 was not recorded" in refused("top", "latest", "--step", 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--score-steps", "0,100000"], "Score step 100000 is beyond the last step, 4"),
        (["--score-steps", "every:0"], "'every:0' names no score step"),
        (["--grand", "all"], "invalid choice: 'all'"),
    ],
)
def test_score_refuses_steps_and_scopes(imported, refused, workspace, tiny_model, options, words):
    assert words in refused("score", "sentences", "--model", tiny_model, *options)
    assert not workspace.runs.exists()
