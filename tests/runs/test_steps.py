"""Scores at several steps: facts, dynamics, shares of the classes, and what is reliable."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diet_core.errors import NotFoundError, RunStateError, SettingError
from diet_core.runs import facts as facts_module
from diet_core.runs.fact_files import step_file_name
from diet_core.runs.facts import Facts, dynamics_table, read_facts, step_lines
from diet_core.runs.folder import write_json, write_table
from diet_core.runs.scores import scores_table, seed_scores_table
from diet_core.runs.steps import label_shares_table, steps_table
from diet_core.runs.summary import score_summary
from diet_core.scoring.el2n import error_norms, lengths_of
from diet_core.scoring.steps import is_reliable, label_shares, unreliable_in_words
from tests.runs.made_configs import config_json
from tests.runs.stepped_runs import add_steps, write_facts

STEPS = (0, 2, 4, 8, 12)


@pytest.fixture
def stepped(copied):
    """The sentences' run with the score steps 0, 2, 4, 8 and 12; an epoch has 4."""
    return add_steps(copied, STEPS)


@pytest.fixture
def of_full(copied):
    """The same with GraNd of the whole network."""
    return add_steps(copied, STEPS, grand="full")


def facts_of(logits, labels, steps, **more) -> Facts:
    """Facts of two classes from logits of shape (n_seeds, n_steps, n_examples, 2)."""
    z = np.asarray(logits, np.float32)
    examples = pd.DataFrame({"example_id": [f"e{i}" for i in range(z.shape[2])]})
    examples["text"] = examples["example_id"]
    examples["text_pair"] = pd.Series([None] * len(examples), dtype="str")
    examples["label"] = np.array(["no", "yes"])[labels]
    defaults = {"seeds": tuple(range(len(z))), "has_bias": True, "epoch_steps": 4}
    return Facts(
        examples=examples,
        classes=("no", "yes"),
        labels=np.asarray(labels),
        steps=tuple(steps),
        logits=z,
        feature_norm=np.ones(z.shape[:3], np.float32),
        **defaults | more,
    )


def sure(sequence: str) -> list[list[float]]:
    """One example's logits per checkpoint: R right with the margin 2, W wrong with −3 (class 0)."""
    return [[2.0, 0.0] if letter == "R" else [0.0, 3.0] for letter in sequence]


def run_of(*sequences: str, steps, **more) -> Facts:
    """One seed whose examples, all of class 0, go through these sequences of right and wrong."""
    logits = np.array([[sure(sequence) for sequence in sequences]]).transpose(0, 2, 1, 3)
    return facts_of(logits, [0] * len(sequences), steps, **more)


# Reliability.


def test_steps_within_the_first_epoch_are_not_reliable():
    assert [is_reliable(step, 4) for step in (0, 1, 3, 4, 5)] == [False, False, False, True, True]


def test_unreliable_in_words_names_a_single_step():
    assert unreliable_in_words([3], 4) == "Scores at step 3 are unreliable: the first epoch ends at step 4."


def test_unreliable_in_words_does_not_list_hundreds():
    words = unreliable_in_words(range(300), 1000)
    assert words is not None
    assert "0, 1, 2, 3, 4, 5 and 294 more are unreliable" in words


def test_step_lines_say_where_each_step_lies(stepped):
    assert step_lines(stepped) == [
        {"step": 0, "epoch": 0.0, "reliable": False},
        {"step": 2, "epoch": 0.5, "reliable": False},
        {"step": 4, "epoch": 1.0, "reliable": True},
        {"step": 8, "epoch": 2.0, "reliable": True},
        {"step": 12, "epoch": 3.0, "reliable": True},
    ]


def test_step_lines_of_a_run_that_has_finished_no_seed_are_the_planned_ones(stepped):
    for unit in ("seed-0", "seed-1"):
        stepped.result_file(unit).unlink()
    assert [line["step"] for line in step_lines(stepped)] == list(STEPS)


def without_new_settings(folder) -> None:
    """Make a run look as one that was made before there were score steps."""
    config = config_json(folder)
    for name in ("score_steps", "epoch_steps", "grand"):
        config.pop(name, None)
    write_json(folder.config_file, config)


def test_runs_made_before_there_were_score_steps_are_read_as_ever(copied, sentence_run):
    without_new_settings(copied)
    facts = read_facts(copied)
    assert (facts.steps, facts.epoch_steps, facts.grand, facts.grad_norm) == ((12,), 4, "classifier", None)
    assert score_summary(copied)["steps"] == [{"step": 12, "epoch": 3.0, "reliable": True}]
    pd.testing.assert_frame_equal(scores_table(facts), scores_table(read_facts(sentence_run)))


def test_an_old_run_without_a_finished_seed_names_no_step(copied):
    without_new_settings(copied)
    for unit in ("seed-0", "seed-1"):
        copied.result_file(unit).unlink()
    assert step_lines(copied) == []


# Facts.


def test_facts_hold_each_seed_and_step_in_its_place(stepped):
    facts = read_facts(stepped)
    assert facts.steps == STEPS
    assert facts.logits.dtype == facts.feature_norm.dtype == np.float32
    assert facts.logits.shape == (2, 5, len(facts.examples), 3)
    for i, seed in enumerate(facts.seeds):
        for j, step in enumerate(STEPS):
            table = pq.read_table(stepped.training_folder(f"seed-{seed}") / step_file_name(step))
            np.testing.assert_array_equal(facts.logits[i, j], table.column("logits").to_pylist())


def test_facts_of_every_step_are_put_into_the_order_of_the_snapshot(stepped):
    before = read_facts(stepped)
    file = stepped.training_folder("seed-1") / step_file_name(4)
    table = pq.read_table(file)
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), file)
    np.testing.assert_array_equal(read_facts(stepped).logits, before.logits)


def test_dynamics_table_has_a_column_per_group_that_was_measured():
    logits, ones = np.zeros((2, 3), np.float32), np.ones(2, np.float32)
    norms = {"grad_norm_head": ones, "grad_norm": 2 * ones, "grad_norm_encoder": np.float32([np.nan, 1])}
    table = dynamics_table(["a", "b"], logits, ones, norms)
    assert table.column_names[3:] == ["grad_norm", "grad_norm_encoder", "grad_norm_head"]
    assert {table.schema.field(name).type for name in table.column_names[2:]} == {pa.float32()}
    assert table.column("grad_norm").to_pylist() == [2.0, 2.0]
    assert table.column("grad_norm_encoder").to_pylist() == [None, 1.0]


def test_dynamics_table_without_gradients_has_nulls():
    table = dynamics_table(["a"], np.zeros((1, 2), np.float32), np.ones(1, np.float32))
    assert table.column_names == ["example_id", "logits", "feature_norm", "grad_norm"]
    assert table.column("grad_norm").to_pylist() == [None]


def test_facts_hold_gradient_norms_and_their_groups(of_full):
    facts = read_facts(of_full)
    assert facts.grand == "full"
    assert facts.grad_norm is not None
    assert facts.grad_norm.shape == facts.logits.shape[:3]
    assert set(facts.grad_norm_groups) == {"encoder", "head"}
    whole = sum(norms.astype(np.float64) ** 2 for norms in facts.grad_norm_groups.values())
    np.testing.assert_allclose(facts.grad_norm, np.sqrt(whole), rtol=1e-6)


def test_facts_that_lack_the_gradient_norms_of_their_scope_are_refused(of_full):
    file = of_full.training_folder("seed-1") / step_file_name(8)
    table = pq.read_table(file).drop_columns(["grad_norm"])
    pq.write_table(table.append_column("grad_norm", pa.nulls(len(table), pa.float32())), file)
    with pytest.raises(RunStateError, match=r"seed-1/step-000008\.parquet .* lacks gradient norms"):
        read_facts(of_full)


def test_a_missing_step_is_named(stepped):
    (stepped.training_folder("seed-0") / step_file_name(2)).unlink()
    with pytest.raises(RunStateError, match=r"seed-0/step-000002\.parquet of run"):
        read_facts(stepped)


# Scores at a step.


@pytest.mark.parametrize("position", range(len(STEPS)))
def test_scores_at_a_step_are_those_of_its_facts(stepped, position):
    facts = read_facts(stepped)
    scores = scores_table(facts, STEPS[position])
    logits, norms = facts.logits[:, position], facts.feature_norm[:, position]
    np.testing.assert_allclose(scores["el2n"], error_norms(logits, facts.labels).mean(axis=0), rtol=1e-12)
    lengths = lengths_of(error_norms(logits, facts.labels), norms)
    np.testing.assert_allclose(scores["grand"], lengths.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scores["grand_std"], lengths.std(axis=0, ddof=1), rtol=1e-12)


def test_scores_without_a_step_are_those_of_the_last(stepped):
    facts = read_facts(stepped)
    pd.testing.assert_frame_equal(scores_table(facts), scores_table(facts, 12))


def test_scores_of_a_step_that_was_not_recorded_are_refused(stepped):
    with pytest.raises(NotFoundError, match=r"Step 3 was not recorded \(there is: 0, 2, 4, 8, 12\)"):
        scores_table(read_facts(stepped), 3)


def test_grand_of_a_wider_scope_is_what_was_measured(of_full):
    facts = read_facts(of_full)
    for position, step in enumerate(STEPS):
        scores, measured = scores_table(facts, step), facts.grad_norm[:, position].astype(np.float64)
        np.testing.assert_array_equal(scores["grand"], measured.mean(axis=0))
        np.testing.assert_allclose(scores["grand_std"], measured.std(axis=0, ddof=1), rtol=1e-12)


def test_seed_scores_have_a_row_per_seed_step_and_example(of_full):
    facts = read_facts(of_full)
    table = seed_scores_table(facts)
    assert table.groupby(["seed", "step"]).size().tolist() == [len(facts.labels)] * 2 * len(STEPS)
    one = table[(table["seed"] == 1) & (table["step"] == 4)].set_index("example_id")
    ids = facts.examples["example_id"]
    np.testing.assert_array_equal(one.loc[ids, "grand"], facts.grad_norm[1, 2].astype(np.float64))
    np.testing.assert_array_equal(one.loc[ids, "el2n"], error_norms(facts.logits[1, 2], facts.labels)[0])


# Dynamics.


def test_dynamics_leave_step_0_out_and_are_the_same_at_every_step():
    facts = run_of("RWRWR", "WRRWW", "WWWWW", "RRRRR", steps=STEPS)
    for step in (*STEPS, None):
        scores = scores_table(facts, step)
        assert scores["forgetting"].tolist() == [1.0, 1.0, 0.0, 0.0]
        assert scores["never_learned"].tolist() == [False, False, True, False]
        assert scores["correctness"].tolist() == [0.5, 0.5, 0.0, 1.0]
        assert scores["aum"].tolist() == [(-3 + 2 - 3 + 2) / 4, (2 + 2 - 3 - 3) / 4, -3.0, 2.0]


def test_dynamics_without_step_0_take_every_step():
    scores = scores_table(run_of("RWRWR", "WRRWW", steps=(2, 4, 6, 8, 12)))
    assert scores["forgetting"].tolist() == [2.0, 1.0]
    assert scores["correctness"].tolist() == [0.6, 0.4]


def test_an_example_that_is_right_at_step_0_only_was_never_learned():
    scores = scores_table(run_of("RWWWW", steps=STEPS))
    assert scores["never_learned"].tolist() == [True]
    assert scores["forgetting"].tolist() == [0.0]


def test_step_0_and_the_last_are_one_checkpoint():
    scores = scores_table(run_of("RR", steps=(0, 12)))
    assert scores[["variability", "forgetting"]].isna().to_numpy().all()
    assert scores["confidence"].tolist() == pytest.approx([1 / (1 + math.exp(-2))])


def test_variability_is_the_population_std_of_the_checkpoints_after_step_0():
    right, wrong = 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(3))
    scores = scores_table(run_of("WRWRR", steps=STEPS))
    values = [right, wrong, right, right]
    mean = sum(values) / 4
    expected = math.sqrt(sum((value - mean) ** 2 for value in values) / 4)
    assert scores["variability"].tolist() == pytest.approx([expected])
    assert scores["confidence"].tolist() == pytest.approx([mean])


def test_loss_is_the_mean_over_seeds_at_the_step():
    logits = [[[[0.0, 0.0]], [[2.0, 0.0]]], [[[0.0, 0.0]], [[0.0, 3.0]]]]
    facts = facts_of(logits, [0], steps=(4, 8))
    assert scores_table(facts, 4)["loss"].tolist() == pytest.approx([math.log(2)])
    expected = (math.log1p(math.exp(-2)) + 3 + math.log1p(math.exp(-3))) / 2
    assert scores_table(facts, 8)["loss"].tolist() == pytest.approx([expected])


def test_dynamics_are_taken_per_seed_then_averaged():
    logits = np.stack([run_of(sequence, steps=STEPS).logits[0] for sequence in ("RRWRW", "WWWWR")])
    scores = scores_table(facts_of(logits, [0], steps=STEPS))
    assert scores["forgetting"].tolist() == [1.0]  # 2 and 0
    assert scores["never_learned"].tolist() == [False]


def test_aum_is_that_of_the_aum_packages_own_test():
    """Its two updates of a batch of two, and one of a batch of one, as checkpoints of three classes."""
    logits = np.float32([[[[1, 2, 3], [6, 5, 4]], [[1, 2, 3], [6, 5, 4]]]])
    facts = replace(
        facts_of(np.zeros((1, 2, 2, 2)), [1, 0], steps=(4, 8)), logits=logits, classes=("a", "b", "c")
    )
    assert scores_table(facts)["aum"].tolist() == [-1.0, 1.0]
    alone = run_of("RW", steps=(4, 8))
    assert scores_table(alone)["aum"].tolist() == [-0.5]


def test_dynamics_are_the_same_in_one_piece_and_in_many(stepped, monkeypatch):
    facts = read_facts(stepped)
    whole = scores_table(facts)
    monkeypatch.setattr(facts_module, "_CHUNK", 50)
    pd.testing.assert_frame_equal(scores_table(facts), whole, rtol=1e-14)


# What each step says as a whole.


def test_steps_table_has_the_course_of_the_scores(stepped):
    facts, table = read_facts(stepped), steps_table(read_facts(stepped))
    assert table["step"].tolist() == list(STEPS)
    assert table["epoch"].tolist() == [0, 0.5, 1, 2, 3]
    assert table["is_reliable"].tolist() == [False, False, True, True, True]
    expected = [scores_table(facts, step)["el2n"] for step in STEPS]
    assert table["el2n"].tolist() == pytest.approx([scores.mean() for scores in expected])
    assert table["el2n_correlation"].iloc[-1] == pytest.approx(1)
    ranks = [scores.rank() for scores in expected]
    assert table["el2n_correlation"].tolist() == pytest.approx(
        [np.corrcoef(r, ranks[-1])[0, 1] for r in ranks]
    )


def test_label_shares_count_the_classes():
    assert label_shares([0, 1, 2, 5], [0, 0, 2, 1, 1, 2], 3).tolist() == [0.5, 0.0, 0.5]
    with pytest.raises(SettingError, match="No example is chosen"):
        label_shares([], [0, 1], 2)


def test_label_shares_table_by_hand():
    """Four examples at two steps; the two hardest are both of class no at first, one of each at last."""
    of_label = [[0.0, 0.1, 0.5, 0.9], [0.0, 0.8, 0.1, 0.9]]  # the label's probability falls with the margin
    labels = np.array([0, 0, 1, 1])
    logits = np.zeros((1, 2, 4, 2))
    logits[0, :, np.arange(4), labels] = np.array(of_label).T
    table = label_shares_table(facts_of(logits, labels, steps=(2, 4)), top=0.5)
    assert table["step"].tolist() == [2, 2, 4, 4]
    assert table["is_reliable"].tolist() == [False, False, True, True]
    assert table["label"].tolist() == ["no", "yes"] * 2
    assert table["share"].tolist() == [1.0, 0.0, 0.5, 0.5]
    assert table["share_of_all"].tolist() == [0.5] * 4


@pytest.mark.parametrize("by", ["el2n", "grand", "loss", "label_error"])
def test_label_shares_are_those_of_the_ranking(of_full, by):
    facts = read_facts(of_full)
    table = label_shares_table(facts, by=by, top=0.25)
    assert table.groupby("step")["share"].sum().tolist() == pytest.approx([1] * len(STEPS))
    scores = scores_table(facts, 4)
    n = math.floor(0.25 * len(scores) + 0.5)
    expected = scores.nlargest(n, by)["label"].value_counts(normalize=True)
    shares = table[table["step"] == 4].set_index("label")["share"]
    assert {label: shares[label] for label in expected.index} == pytest.approx(expected.to_dict())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "aum"}, "'aum' has no value of its own at each step"),
        ({"top": 0.001}, "top is 0.001, which is no example of"),
        ({"top": 1.5}, "1.5 is not a share"),
    ],
)
def test_label_shares_table_refuses(stepped, settings, message):
    with pytest.raises(SettingError, match=message):
        label_shares_table(read_facts(stepped), **settings)


def test_summary_names_steps_and_scope(of_full):
    summary = score_summary(of_full)
    assert [line["step"] for line in summary["steps"]] == list(STEPS)
    assert summary["grand"] == "full"


def test_facts_whose_examples_are_fewer_name_the_step(stepped):
    write_facts(stepped, "seed-1", 4, ["nobody"], np.zeros((1, 3), np.float32))
    with pytest.raises(RunStateError, match=r"step-000004\.parquet .* lacks examples"):
        read_facts(stepped)


def test_equal_facts_are_equal_bytes(tmp_path):
    table = dynamics_table(["a"], np.zeros((1, 2), np.float32), np.ones(1, np.float32), None)
    for name in ("one", "two"):
        write_table(tmp_path / name, table)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
