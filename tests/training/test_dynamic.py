"""Dynamic pruning: what a training goes on with, by what its own steps have shown."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from diet_core.config import DynamicPruning, TrainingConfig
from diet_core.errors import SettingError
from diet_core.scoring.el2n import el2n
from diet_core.selection.rules import is_kept
from diet_core.training.batches import training_batches
from diet_core.training.dropout import FastDropout
from diet_core.training.dynamic import DynamicSelection
from diet_core.training.loop import Hooks, Training, adamw, fine_tune, rate_factor
from tests.conftest import n_sentences
from tests.training.tiny_encoders import encoded_of, fresh_model

N = 60
LABELS = np.arange(N) % 3
IDS = [f"e{i}" for i in range(N)]
SETTINGS = DynamicPruning(keep=0.5, drop_hardest=0.1, every=4, warmup=0.25, decay=0.5)
CONFIG = TrainingConfig(lr=5e-3, batch_size=8, epochs=3)
TOTAL = 24  # three epochs of eight steps; the warm-up takes six


def selection_of(settings=SETTINGS, total=TOTAL, n=N, batch_size=8) -> DynamicSelection:
    return DynamicSelection(settings, IDS[:n], LABELS[:n], total, batch_size)


def logits_of(rows, wrong: float) -> np.ndarray:
    """Logits that favour another class than the label by `wrong`."""
    out = np.zeros((len(rows), 3), np.float32)
    out[np.arange(len(rows)), (LABELS[rows] + 1) % 3] = wrong
    return out


# The settings.


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"by": "aum"}, "'aum' is no score that a training step shows"),
        ({"keep": 0}, "keep is 0"),
        ({"keep": 0.3, "drop_hardest": 0.3}, "takes away all"),
        ({"every": 0}, "every is 0"),
        ({"warmup": 1}, "warmup is 1"),
        ({"warmup": float("nan")}, "warmup is nan"),
        ({"decay": -0.1}, "decay is -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(given, message):
    with pytest.raises(SettingError, match=message) as error:
        DynamicPruning(**given)
    assert n_sentences(str(error.value)) == 2


# What is learnt of a batch.


def test_learn_takes_the_first_el2n_as_it_is():
    chosen, rows = selection_of(), np.array([3, 50, 7])
    logits = np.random.default_rng(0).normal(0, 2, (3, 3)).astype(np.float32)
    chosen.learn(rows, logits, step=1)
    np.testing.assert_array_equal(chosen.scores[rows], el2n(logits, LABELS[rows]))
    assert np.isinf(np.delete(chosen.scores, rows)).all()


def test_learn_moves_a_known_score_by_the_decay():
    """Undecided among three classes: √(4/9 + 1/9 + 1/9); then all but sure of another one: √2."""
    chosen = selection_of(dataclasses.replace(SETTINGS, decay=0.75))
    rows = np.array([4])
    chosen.learn(rows, logits_of(rows, 0), step=1)
    chosen.learn(rows, logits_of(rows, 200), step=2)
    assert chosen.scores[4] == pytest.approx(0.75 * np.sqrt(6) / 3 + 0.25 * np.sqrt(2), rel=1e-12)


def test_learn_by_loss_is_the_cross_entropy():
    chosen, rows = selection_of(dataclasses.replace(SETTINGS, by="loss")), np.arange(5)
    logits = np.random.default_rng(1).normal(0, 3, (5, 3)).astype(np.float32)
    chosen.learn(rows, logits, step=1)
    expected = cross_entropy(
        torch.from_numpy(logits).double(), torch.from_numpy(LABELS[:5]), reduction="none"
    )
    np.testing.assert_allclose(chosen.scores[:5], expected, rtol=1e-12)


# What is selected.


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9, 1.3]), min_size=N, max_size=N),
    st.sampled_from([(0.5, 0.1), (0.7, 0.04), (1.0, 0.0), (0.35, 0.3)]),
    st.booleans(),
)
def test_the_selection_is_what_the_rule_keeps_of_a_table_of_the_scores(values, shares, per_class):
    keep, drop = shares
    chosen = selection_of(DynamicPruning(keep=keep, drop_hardest=drop, per_class=per_class))
    chosen.scores[:] = values
    table = pd.DataFrame({"example_id": IDS, "label": LABELS.astype(str), "el2n": values})
    assert chosen.selection().tolist() == is_kept(table, chosen.settings.rule).tolist()


def test_never_seen_examples_count_as_hardest():
    chosen = selection_of(DynamicPruning(keep=0.5, drop_hardest=0))
    seen = np.arange(40)
    chosen.learn(seen, logits_of(seen, 200), step=1)
    assert chosen.selection()[40:].all()
    assert chosen.selection().sum() == 30


def test_what_left_the_selection_returns_when_others_fall_below():
    chosen = selection_of(DynamicPruning(keep=0.5, drop_hardest=0, decay=0))
    easy, hard = np.arange(30), np.arange(30, 60)
    chosen.learn(easy, logits_of(easy, 1), step=1)
    chosen.learn(hard, logits_of(hard, 2), step=2)
    assert np.flatnonzero(chosen.selection()).tolist() == hard.tolist()
    chosen.learn(hard, logits_of(hard, -2), step=3)
    assert np.flatnonzero(chosen.selection()).tolist() == easy.tolist()


# What comes next.


def walked(chosen: DynamicSelection, logits=lambda rows, step: logits_of(rows, 0)) -> list[np.ndarray]:
    """The batches of a whole training, laid out stretch by stretch as the loop does."""
    lengths, rng = np.random.default_rng(0).integers(3, 30, len(chosen.labels)), np.random.default_rng(1)
    done: list[np.ndarray] = []
    while len(done) < chosen.total:
        chosen.begin(len(done))
        batches = chosen.batches(lengths, len(done), rng)
        for rows in batches[: chosen.total - len(done)]:
            done.append(rows)
            chosen.learn(rows, logits(rows, len(done)), len(done))
    return done


def random_logits(rows, step):
    return np.random.default_rng(step).normal(0, 2, (len(rows), 3)).astype(np.float32)


def test_the_warm_up_goes_through_everything_in_the_usual_order():
    lengths = np.random.default_rng(0).integers(3, 30, N)
    usual = training_batches(lengths, 8, np.random.default_rng(1))
    for ours, theirs in zip(walked(selection_of())[:6], usual, strict=False):
        np.testing.assert_array_equal(ours, theirs)


def test_after_the_warm_up_only_the_selection_comes():
    chosen = selection_of()
    selections: list[np.ndarray] = []

    def remember(rows, step):
        if step > chosen.warmup:
            selections.append(chosen.is_selected.copy())
            assert chosen.is_selected[rows].all()
        return random_logits(rows, step)

    walked(chosen, remember)
    assert {int(selected.sum()) for selected in selections} == {30 - 6}
    changes = [i for i in range(1, len(selections)) if (selections[i] != selections[i - 1]).any()]
    assert changes
    assert all(i % SETTINGS.every == 0 for i in changes)


@pytest.mark.parametrize("every", [1, 2, 4, 100])
def test_a_pass_holds_each_example_of_a_lasting_selection_once(every):
    """24 examples in batches of 8: three steps a pass, however often the same selection is made again."""
    chosen = selection_of(dataclasses.replace(SETTINGS, warmup=0.0, every=every))
    chosen.scores[:] = np.linspace(1, 0, N)
    chosen.settings = dataclasses.replace(chosen.settings, decay=0.999999)
    batches = walked(chosen)
    assert [len(rows) for rows in batches] == [8] * TOTAL
    for start in range(0, TOTAL, 3):
        assert sorted(np.concatenate(batches[start : start + 3])) == list(range(6, 30))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 9), st.sampled_from([5, 7, 8, 64]), st.integers(1, 50), st.floats(0, 0.9))
def test_a_training_has_its_steps_and_no_example_twice_in_one(every, batch_size, total, warmup):
    chosen = selection_of(
        dataclasses.replace(SETTINGS, every=every, warmup=warmup), total=total, batch_size=batch_size
    )
    batches = walked(chosen, random_logits)
    assert len(batches) == total
    assert all(0 < len(rows) == len(set(rows)) <= batch_size for rows in batches)
    after = Counter(int(row) for rows in batches[chosen.warmup :] for row in rows)
    summary = chosen.summary()
    assert summary["n_seen"] == len(after)
    assert {int(k): n for k, n in summary["times"].items() if k != "0"} == Counter(after.values())
    assert sum(summary["times"].values()) == N


# In the loop.


def trained(dynamic=None, state=None, hooks=None, total=TOTAL, precision="float32") -> torch.nn.Module:
    model = fresh_model("bert")
    torch.manual_seed(3)
    fine_tune(
        model,
        encoded_of(model, N),
        LABELS,
        CONFIG,
        seed=2,
        precision=precision,
        total_steps=total,
        dynamic=dynamic,
        hooks=hooks,
        state=state,
    )
    return model


def weights_of(model: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters()]


def plainly_trained() -> torch.nn.Module:
    """The fine-tuning of an unpruned run, written out."""
    model = fresh_model("bert")
    torch.manual_seed(3)
    encoded, rng = encoded_of(model, N), np.random.default_rng(2)
    optimizer = adamw(model.parameters(), CONFIG.weight_decay, CONFIG.lr)
    model.train()
    step = 0
    for _ in range(CONFIG.epochs):
        for rows in training_batches(encoded.lengths, CONFIG.batch_size, rng):
            for group in optimizer.param_groups:
                group["lr"] = CONFIG.lr * rate_factor(step, 2, TOTAL)
            with FastDropout():
                logits = model(**encoded.batch(rows, torch.device("cpu"))).logits
            cross_entropy(logits, torch.from_numpy(LABELS[rows])).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            step += 1
    return model


def test_an_unpruned_training_is_the_plain_loop_to_the_bit():
    assert all(map(torch.equal, weights_of(trained()), weights_of(plainly_trained())))


def test_the_warm_up_is_the_unpruned_training_to_the_bit():
    kept: dict[bool, list[torch.Tensor]] = {}

    def keep(training: Training, n: int, is_dynamic: bool) -> None:
        if training.step == 6:
            kept[is_dynamic] = weights_of(training.model)

    for is_dynamic in (True, False):
        hooks = Hooks(on_step=partial(keep, is_dynamic=is_dynamic))
        trained(selection_of() if is_dynamic else None, hooks=hooks)
    assert all(map(torch.equal, kept[True], kept[False]))


class Recorded(DynamicSelection):
    """Remembers what it is told."""

    def learn(self, rows, logits, step) -> None:
        vars(self).setdefault("told", []).append((rows, logits))
        super().learn(rows, logits, step)


def test_the_scores_come_from_the_training_passes_alone():
    """One forward pass per step; the scores are the moving means of what these gave."""
    model, chosen = fresh_model("bert"), Recorded(SETTINGS, IDS, LABELS, TOTAL, 8)
    passes: list[np.ndarray] = []
    model.register_forward_hook(lambda module, inputs, out: passes.append(out.logits.detach().numpy().copy()))
    fine_tune(model, encoded_of(model, N), LABELS, CONFIG, seed=2, total_steps=TOTAL, dynamic=chosen)
    expected: dict[int, float] = {}
    for (rows, logits), passed in zip(chosen.told, passes, strict=True):
        np.testing.assert_array_equal(logits, passed)
        for row, value in zip(rows, el2n(passed, LABELS[rows]), strict=True):
            expected[row] = (expected.get(row, value) + value) / 2
    assert len(passes) == TOTAL
    found = [expected.get(row, np.inf) for row in range(N)]
    np.testing.assert_allclose(chosen.scores, found, rtol=1e-12)


def test_the_learning_rate_falls_over_all_steps():
    rates: list[float] = []
    hooks = Hooks(on_step=lambda training, n: rates.append(training.optimizer.param_groups[0]["lr"]))
    trained(selection_of(total=10), hooks=hooks, total=10)
    assert rates == [5e-3 * rate_factor(step, 1, 10) for step in range(10)]


@pytest.mark.parametrize("stop_at", [3, 6, 7, 9, 10, 12, 17, 24])
def test_a_stopped_training_goes_on_to_the_same_weights_and_selection(tmp_path, stop_at):
    """Within the warm-up and at its end, within a pass and a selection, at their ends and at the end."""
    file, expected = tmp_path / "state.pt", selection_of()

    def stop(training: Training, n_examples: int) -> None:
        if training.step == stop_at:
            torch.save(training.state(), file)
            raise KeyboardInterrupt

    weights = weights_of(trained(expected))
    with pytest.raises(KeyboardInterrupt):
        trained(selection_of(), hooks=Hooks(on_step=stop))
    resumed = selection_of()
    model = trained(resumed, state=torch.load(file, weights_only=True))
    assert all(map(torch.equal, weights_of(model), weights))
    for name, array in expected.state().items():
        np.testing.assert_array_equal(resumed.state()[name], array, err_msg=name)
    assert resumed.summary() == expected.summary()
