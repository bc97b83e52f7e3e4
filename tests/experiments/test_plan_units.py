"""Trainings of a plan: curves, predictions, dynamic pruning; the same bytes after stops and kills."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from diet_core.config import DynamicPruning, TrainingConfig, Workspace, curve_steps
from diet_core.errors import RunStateError, SettingError
from diet_core.run_config import PlannedTraining
from diet_core.runs import executor
from diet_core.runs.fact_files import test_predictions as predictions_of
from diet_core.runs.facts import class_numbers
from diet_core.runs.folder import RunFolder, write_json
from diet_core.runs.layout import lay_out
from diet_core.runs.summary import metrics_table
from diet_core.scoring.evaluation import macro_f1
from diet_core.worker.__main__ import Stopped
from diet_core.worker.context import open_context
from diet_core.worker.evaluations import Evaluations
from diet_core.worker.progress import planned_progress
from diet_core.worker.trainings import run_all
from tests.conftest import n_sentences
from tests.runs.made_configs import change_config

DYNAMIC = DynamicPruning(keep=0.6, drop_hardest=0.1, every=3, warmup=0.3)
STEPS = 41
WARMUP_STEPS = 13  # of the dynamic training; 41 * 0.3
BATCH = 16
CURVE = 5
STOPS = 6
PATIENCE = 120


@pytest.fixture(scope="session")
def plan_units(sentence_data, tiny_model):
    """A function that lays out a run of the kind retrain with these units."""

    def plan(
        workspace: Workspace,
        trainings: Mapping[PlannedTraining, Any],
        *,
        encoder="tuned",
        examples=None,
        heldout=None,
        **more,
    ) -> RunFolder:
        return lay_out(
            workspace,
            sentence_data.info,
            sentence_data.examples if examples is None else examples,
            trainings,
            TrainingConfig(model=str(tiny_model), lr=5e-3, batch_size=BATCH, epochs=2, encoder=encoder),
            kind="retrain",
            more={"choose": "last", "curve": 0, "total_steps": None} | more,
            heldout=heldout,
        )

    return plan


@pytest.fixture(scope="module")
def train(sentence_data) -> pd.DataFrame:
    return sentence_data.examples.query("split == 'train'")[["example_id", "label"]]


@pytest.fixture(scope="module")
def test_split(sentence_data) -> pd.DataFrame:
    return sentence_data.examples.query("split == 'test'")


@pytest.fixture(scope="module")
def three(train) -> dict[PlannedTraining, pd.DataFrame]:
    """All examples for two epochs; a half for more steps; all with dynamic pruning for as many."""
    return {
        PlannedTraining("full-1", "full", 1): train,
        PlannedTraining("half-1", "half", 1, total_steps=STEPS): train.iloc[::2],
        PlannedTraining("dynamic-1", "dynamic", 1, dynamic=DYNAMIC, total_steps=STEPS): train,
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory, plan_units, three, do_work) -> RunFolder:
    """Done without a stop, with a curve and the best evaluation counting. To be read only."""
    workspace = Workspace(tmp_path_factory.mktemp("finished"))
    folder = plan_units(workspace, three, choose="best", curve=CURVE)
    assert do_work(folder) == 0, folder.status()
    return folder


@pytest.fixture(scope="module")
def finished_heads(tmp_path_factory, plan_units, three, do_work) -> RunFolder:
    """The same of a frozen encoder, without dynamic pruning. To be read only."""
    workspace = Workspace(tmp_path_factory.mktemp("heads"))
    folder = plan_units(
        workspace, dict(list(three.items())[:2]), encoder="frozen", choose="best", curve=CURVE
    )
    assert do_work(folder) == 0, folder.status()
    return folder


@pytest.fixture(params=["finished", "finished_heads"])
def done(request) -> RunFolder:
    """A finished run of each kind of encoder."""
    return request.getfixturevalue(request.param)


def results(folder: RunFolder) -> dict[str, dict]:
    return {unit.name: folder.result(unit.name) for unit in folder.config().trainings}


# What config.json says.


def test_a_unit_says_only_what_is_set(finished):
    full, half, dynamic = finished.config().trainings
    assert full.to_json() == {"name": "full-1", "arm": "full", "seed": 1}
    assert half.to_json() == {"name": "half-1", "arm": "half", "seed": 1, "total_steps": STEPS}
    assert dynamic.dynamic == DYNAMIC


def test_dynamic_pruning_of_a_frozen_encoders_heads_is_refused(tmp_path, plan_units, three):
    with pytest.raises(SettingError, match="the encoder of this run is frozen") as error:
        plan_units(Workspace(tmp_path), three, encoder="frozen")
    assert n_sentences(str(error.value)) == 2
    assert not (tmp_path / "runs").exists()


# What a training leaves.


def test_a_curve_has_equally_spaced_evaluations(done, train):
    for name, result in results(done).items():
        n = len(train) // 2 + len(train) % 2 if name == "half-1" else len(train)
        epoch_steps = -(-n // BATCH)
        total = 2 * epoch_steps if name == "full-1" else STEPS
        assert result["steps"] == total
        assert [point["step"] for point in result["curve"]] == list(curve_steps(total, epoch_steps, CURVE))
        assert [point["epoch"] for point in result["curve"]] == [
            -(-point["step"] // epoch_steps) for point in result["curve"]
        ]
        assert all(
            point.keys() == {"step", "epoch", "accuracy", "loss", "macro_f1"} for point in result["curve"]
        )


def test_the_best_evaluation_counts_and_of_equals_the_earliest(done):
    for result in results(done).values():
        accuracies = [point["accuracy"] for point in result["curve"]]
        best = result["curve"][int(np.argmax(accuracies))]
        wanted = ("step", "epoch", "accuracy", "macro_f1")
        assert {name: result[name] for name in wanted} == {name: best[name] for name in wanted}


def test_the_predictions_are_those_of_the_evaluation_that_counts(done, test_split):
    classes = done.config().dataset.classes
    labels = class_numbers(test_split["label"], classes)
    for name, result in results(done).items():
        found = predictions_of(done, name)
        assert found["example_id"].tolist() == test_split["example_id"].tolist()
        assert found["predicted"].dtype == np.int16
        predicted = found["predicted"].to_numpy()
        assert result["accuracy"] == (predicted == labels).mean()
        assert result["macro_f1"] == macro_f1(predicted, labels)
        recall = {name: (predicted == labels)[labels == k].mean() for k, name in enumerate(classes)}
        assert result["per_class_recall"] == recall


def test_a_dynamic_training_says_what_it_went_on_with(finished, train):
    selection = finished.result("dynamic-1")["selection"]
    n = len(train)
    assert selection["warmup_steps"] == WARMUP_STEPS
    assert selection["selections"] == 10  # after steps 13, 16, … and 40
    assert selection["n_selected"] == round(0.6 * n) - round(0.1 * n)
    assert selection["n_selected"] <= selection["n_seen"] < n
    assert sum(selection["times"].values()) == n
    assert "selection" not in finished.result("full-1")


def test_a_dynamic_training_is_the_one_on_everything_until_its_warm_up_ends(plan_units, do_work, tmp_path):
    folder, pruned = (
        plan_units(
            Workspace(tmp_path),
            {PlannedTraining("one-1", "one", 1, dynamic=dynamic, total_steps=STEPS): None},
            curve=STEPS,
        )
        for dynamic in (None, DYNAMIC)
    )
    assert do_work(folder) == do_work(pruned) == 0
    losses = [[point["loss"] for point in run.result("one-1")["curve"]] for run in (folder, pruned)]
    assert losses[0][:WARMUP_STEPS] == losses[1][:WARMUP_STEPS]
    assert all(a != b for a, b in zip(*(of_run[WARMUP_STEPS:] for of_run in losses), strict=True))


def test_all_steps_were_planned(done):
    status = done.status()
    assert status.step == status.total == sum(result["steps"] for result in results(done).values())


def test_the_workload_counts_the_evaluations_of_a_curve(tmp_path, plan_units, three, train, test_split):
    heldout = train.iloc[:7]
    folder = plan_units(Workspace(tmp_path), three, choose="heldout", curve=CURVE, heldout=heldout)
    progress = planned_progress(folder)
    assert progress.examples["score"] == 3 * CURVE * (len(test_split) + 7)
    assert progress.total_steps == 2 * -(-len(train) // BATCH) + 2 * STEPS
    half, its_epochs = 56, 11  # of four steps each, the last of eight examples
    assert progress.examples["train"] == 2 * len(train) + its_epochs * half + STEPS * BATCH


def test_the_metrics_have_a_line_per_evaluation_and_the_table_one_per_epoch(finished):
    lines = [json.loads(line) for line in finished.metrics_file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 3 * CURVE
    table = metrics_table(finished)
    last = {(line["unit"], line["epoch"]): line["accuracy"] for line in lines}
    assert table.set_index(["unit", "epoch"])["accuracy"].to_dict() == last
    assert len(table) == len(last) < len(lines)


def test_without_a_test_split_nothing_is_predicted_and_nothing_counted(
    tmp_path, plan_units, sentence_data, do_work
):
    examples = sentence_data.examples.assign(split="train")
    folder = plan_units(
        Workspace(tmp_path), {PlannedTraining("full-1", "full", 1): None}, examples=examples, choose="best"
    )
    assert do_work(folder) == 0, folder.status()
    result = folder.result("full-1")
    assert (result["accuracy"], result["macro_f1"]) == (None, None)
    assert result["step"] == result["steps"]
    assert predictions_of(folder, "full-1").empty


def test_missing_predictions_are_told(finished, tmp_path):
    copy = RunFolder(Path(shutil.copytree(finished.path, tmp_path / finished.run_id)))
    (copy.training_folder("full-1") / "test_predictions.parquet").unlink()
    with pytest.raises(RunStateError, match=r"full-1/test_predictions\.parquet of run .* cannot be read"):
        predictions_of(copy, "full-1")


def test_what_an_older_version_had_evaluated_stays(finished):
    """It told epochs only, by their number."""
    context = open_context(finished, planned_progress(finished), lambda: None, lambda line: None)
    try:
        unit = finished.config().trainings[0]
        found = Evaluations(context, unit, 108)
        found.restore({"1": {"epoch": 1, "accuracy": 0.5}, "2": {"epoch": 2, "accuracy": 0.6}})
        assert {step: m["accuracy"] for step, m in found.metrics.items()} == {"7": 0.5, "14": 0.6}
    finally:
        torch.use_deterministic_algorithms(False)


# Stopped and killed.


def outcomes(folder: RunFolder) -> dict[str, object]:
    """All that a run leaves, but for times."""
    found: dict[str, object] = {"metrics": folder.metrics_file.read_bytes()}
    for name, result in results(folder).items():
        found[name] = {key: value for key, value in result.items() if key != "seconds"}
        found[f"{name} predictions"] = (
            folder.training_folder(name) / "test_predictions.parquet"
        ).read_bytes()
    return found


def fresh_copy(run: RunFolder, to: Path) -> RunFolder:
    """The run as it was before its first step; it keeps its state after each."""
    copy = RunFolder(to / run.run_id)
    copy.path.mkdir(parents=True)
    shutil.copy(run.examples_file, copy.path)
    copy.write_config(dataclasses.replace(run.config(), checkpoint_seconds=0))
    write_json(copy.status_file, {"state": "queued", "step": 0, "total": 0})
    for unit in run.config().trainings:
        copy.training_folder(unit.name).mkdir()
        shutil.copy(run.training_folder(unit.name) / "train.parquet", copy.training_folder(unit.name))
    return copy


def stop_at(n: int) -> Callable[[], None]:
    calls = iter(range(int(n)))

    def check() -> None:
        if next(calls, None) is None:
            raise Stopped

    return check


def test_a_plan_stopped_again_and_again_ends_in_the_same_bytes(done, tmp_path):
    run = fresh_copy(done, tmp_path)
    rng = np.random.default_rng(3)
    try:
        for n in rng.integers(1, 50, STOPS):
            with contextlib.suppress(Stopped):
                run_all(run, stop_at(n), lambda line: None)
        run_all(run, lambda: None, lambda line: None)
    finally:
        torch.use_deterministic_algorithms(False)
    assert outcomes(run) == outcomes(done)
    assert run.status().step == run.status().total == done.status().total
    assert [p.name for p in run.path.rglob("*") if p.suffix in (".pt", ".npz", ".tmp")] == []


def test_a_killed_dynamic_training_ends_in_the_same_bytes(finished, tmp_path):
    """Killed after the warm-up, in the midst of a selection."""
    run = fresh_copy(finished, tmp_path)
    only = [unit for unit in run.config().trainings if unit.name == "dynamic-1"]
    change_config(run, trainings=tuple(only))
    state = run.training_folder("dynamic-1") / "checkpoint.pt"

    def is_within_a_selection() -> bool:
        with contextlib.suppress(OSError, RuntimeError):  # it is being replaced
            return torch.load(state, weights_only=True)["training"]["step"] > WARMUP_STEPS
        return False

    executor.resume(run)
    deadline = time.monotonic() + PATIENCE
    while not is_within_a_selection():
        assert time.monotonic() < deadline, run.status()
    with contextlib.suppress(ProcessLookupError):
        os.kill(run.status().pid, signal.SIGKILL)
    while run.is_locked():
        time.sleep(0.01)
    executor.resume(run)
    executor.follow(run)
    assert "dynamic-1 goes on after step" in run.log_file.read_text(encoding="utf-8")
    expected, found = outcomes(finished), outcomes(run)
    for name in ("dynamic-1", "dynamic-1 predictions"):
        assert found[name] == expected[name]
