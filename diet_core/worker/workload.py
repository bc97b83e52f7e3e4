"""How much work a run is, and what of it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from diet_core.config import TrainingConfig, curve_steps
from diet_core.encoders import FROZEN, encoder_of
from diet_core.runs.auto_seeds import is_auto
from diet_core.runs.cost import HEAD_SPEED
from diet_core.runs.fact_files import FOLD, finished_units, step_file_name
from diet_core.runs.folder import RunFolder
from diet_core.worker.progress import PHASES, Progress


def planned_progress(folder: RunFolder) -> Progress:
    """Count the work of a run, and what of it was done before.

    Raises:
        RunStateError: If a file cannot be read.
    """
    config, finished = folder.config(), finished_units(folder)
    splits = pq.read_table(folder.examples_file, columns=["split"])["split"].to_pylist()
    n_train, n_test = splits.count("train"), splits.count("test")
    heldout = folder.path / "heldout.parquet"
    n_evaluated = n_test + (pq.read_metadata(heldout).num_rows if heldout.exists() else 0)
    is_frozen = encoder_of(config) == FROZEN
    progress = Progress(folder, 0, dict.fromkeys(PHASES, 0), is_at_most=is_auto(config))
    if is_frozen:
        progress.examples["score"], progress.training_guess = n_train + n_test, HEAD_SPEED
    for unit in config["units"]:
        size = _size(folder, config, unit, n_train)
        progress.total_steps += size.steps
        if unit["name"] in finished:
            progress.step += size.steps
            continue
        is_fold = unit["arm"] == FOLD
        n_read = n_train - size.n_train if is_fold else n_train
        n_facts = _n_passes_left(folder, config, unit, size) * n_read
        progress.examples["train"] += min(
            size.steps * int(config["training"]["batch_size"]), size.n_train * size.n_epochs
        )
        if is_frozen:  # all is read once, by embedding it
            continue
        progress.examples["score"] += n_facts + (0 if is_fold else n_evaluated * size.n_evaluations)
        if config.get("grand", "classifier") != "classifier" and not is_fold:
            progress.examples["gradients"] += n_facts
    return progress


@dataclass(frozen=True)
class _Size:
    """The optimizer steps, the (begun) epochs, the training examples and the evaluations of a unit."""

    steps: int
    n_epochs: int
    n_train: int
    n_evaluations: int


def _size(folder: RunFolder, config: Mapping[str, Any], unit: Mapping[str, Any], n_snapshot: int) -> _Size:
    training = TrainingConfig(**config["training"])
    own = folder.unit(unit["name"]) / "train.parquet"
    n_train = pq.read_metadata(own).num_rows if own.exists() else n_snapshot
    epoch_steps = training.epoch_steps(n_train)
    steps = unit.get("total_steps") or config.get("total_steps") or training.epochs * epoch_steps
    n_evaluations = len(curve_steps(steps, epoch_steps, config.get("curve", 0)))
    return _Size(steps, -(-steps // epoch_steps), n_train, n_evaluations)


def _n_passes_left(folder: RunFolder, config: Mapping[str, Any], unit: Mapping[str, Any], size: _Size) -> int:
    """Return how many of a unit's passes of reading its facts are still to be done."""
    if config["kind"] != "score":
        return 0
    asked = [] if unit["arm"] == FOLD else config.get("score_steps")
    files = [folder.unit(unit["name"]) / step_file_name(step) for step in asked or [size.steps]]
    return sum(not file.exists() for file in files)
