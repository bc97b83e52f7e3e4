"""How much work a run is, and what of it is done."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.parquet as pq

from diet_core.config import curve_steps
from diet_core.encoders import FROZEN
from diet_core.run_config import PlannedTraining, RunConfig
from diet_core.runs.cost import HEAD_SPEED
from diet_core.runs.fact_files import finished_trainings, step_file
from diet_core.runs.folder import RunFolder
from diet_core.worker.progress import PHASES, Progress


def planned_progress(folder: RunFolder) -> Progress:
    """Count the work of a run, and what of it was done before.

    Raises:
        RunStateError: If a file cannot be read.
    """
    config, finished = folder.config(), finished_trainings(folder)
    splits = pq.read_table(folder.examples_file, columns=["split"])["split"].to_pylist()
    n_train, n_test = splits.count("train"), splits.count("test")
    heldout = folder.heldout_file
    n_evaluated = n_test + (pq.read_metadata(heldout).num_rows if heldout.exists() else 0)
    is_frozen = config.settings.encoder == FROZEN
    progress = Progress(folder, 0, dict.fromkeys(PHASES, 0), is_at_most=config.is_auto)
    if is_frozen:
        progress.examples["score"], progress.training_guess = n_train + n_test, HEAD_SPEED
    for training in config.trainings:
        size = _size(folder, config, training, n_train)
        progress.total_steps += size.steps
        if training.name in finished:
            progress.step += size.steps
            continue
        is_fold = training.is_fold
        n_read = n_train - size.n_train if is_fold else n_train
        n_facts = _n_passes_left(folder, config, training, size) * n_read
        progress.examples["train"] += min(
            size.steps * config.settings.batch_size, size.n_train * size.n_epochs
        )
        if is_frozen:  # all is read once, by embedding it
            continue
        progress.examples["score"] += n_facts + (0 if is_fold else n_evaluated * size.n_evaluations)
        if config.grand != "classifier" and not is_fold:
            progress.examples["gradients"] += n_facts
    return progress


@dataclass(frozen=True)
class _Size:
    """The optimizer steps, the (begun) epochs, the training examples and the evaluations of a training."""

    steps: int
    n_epochs: int
    n_train: int
    n_evaluations: int


def _size(folder: RunFolder, config: RunConfig, training: PlannedTraining, n_snapshot: int) -> _Size:
    own = folder.training_examples_file(training.name)
    n_train = pq.read_metadata(own).num_rows if own.exists() else n_snapshot
    epoch_steps = config.settings.epoch_steps(n_train)
    steps = training.total_steps or config.total_steps or config.settings.epochs * epoch_steps
    n_evaluations = len(curve_steps(steps, epoch_steps, config.curve))
    return _Size(steps, -(-steps // epoch_steps), n_train, n_evaluations)


def _n_passes_left(folder: RunFolder, config: RunConfig, training: PlannedTraining, size: _Size) -> int:
    """Return how many forward passes that record a training's facts are still to be done."""
    if config.kind != "score":
        return 0
    asked = () if training.is_fold else config.score_steps
    files = [step_file(folder, training.name, step) for step in asked or [size.steps]]
    return sum(not file.exists() for file in files)
