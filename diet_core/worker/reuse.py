"""Identical trainings of other runs, reused by a run that asks for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diet_core.config import to_json
from diet_core.data.formats.files import sha256_of
from diet_core.errors import DietError
from diet_core.run_config import PlannedTraining, RunConfig
from diet_core.runs.fact_files import finished_trainings, predictions_file
from diet_core.runs.folder import RunFolder, all_runs, write_atomically, write_json
from diet_core.worker.checkpoint import Checkpoint


def reuse_trainings(folder: RunFolder, log: Callable[[str], None]) -> None:
    """Copy what is still to be trained from runs that have done the same, if the run asks for it.

    The same is: equal examples in equal order, test split, settings, model, seed, steps, device and versions.

    Args:
        folder: Of a run with `reuse` in its config.json; of others nothing is done.
        log: Takes lines for the run's log.

    Raises:
        RunStateError: If a file of the run itself cannot be read.
    """
    config = folder.config()
    if not config.reuse:
        return
    finished = finished_trainings(folder)
    wanted = [training for training in config.trainings if training.name not in finished]
    done = {key: source for other in reversed(_others(folder)) for key, source in _done(other).items()}
    of_run = _of_run(folder, config)
    for training in wanted:
        if (source := done.get(_key(folder, config, training, of_run))) is not None:
            _copy(*source, folder, training)
            log(f"{training.name} is reused from {source[1]} of {source[0].run_id}")


def _others(folder: RunFolder) -> list[RunFolder]:
    return [other for other in all_runs(folder.workspace) if other.run_id != folder.run_id]


def _done(other: RunFolder) -> dict[str, tuple[RunFolder, str]]:
    """Return the finished trainings of a retraining by their keys.

    None of a run that cannot be read, or that went on in another environment than it began in: which of its
    trainings were done where is not known.
    """
    try:
        config = other.config()
        if config.kind != "retrain" or config.changed:
            return {}
        finished, of_run = finished_trainings(other), _of_run(other, config)
        return {
            _key(other, config, training, of_run): (other, training.name)
            for training in config.trainings
            if training.name in finished and predictions_file(other, training.name).exists()
        }
    except (DietError, OSError, KeyError):
        return {}


def _of_run(folder: RunFolder, config: RunConfig) -> list[Any]:
    """Return what all trainings of a run have in common."""
    return [
        *map(to_json, (config.settings, config.model, config.environment)),
        *(config.kind, config.choose, config.curve, config.dataset.classes),
        *map(_sha256, (folder.examples_file, folder.heldout_file)),
    ]


def _key(folder: RunFolder, config: RunConfig, training: PlannedTraining, of_run: list[Any]) -> str:
    """Return what is equal for two trainings if and only if they are the same."""
    own = training.to_json()
    steps = training.total_steps or config.total_steps
    examples = _sha256(folder.training_examples_file(training.name))
    return json.dumps([of_run, training.seed, own.get("dynamic"), steps, examples], sort_keys=True)


def _sha256(file: Path) -> str | None:
    return sha256_of(file) if file.exists() else None


def _copy(other: RunFolder, name: str, folder: RunFolder, training: PlannedTraining) -> None:
    """Copy a training's predictions, then its result, which says that it is finished.

    What an interrupted training has left in the run is of no use any more.
    """
    source = predictions_file(other, name)
    write_atomically(predictions_file(folder, training.name), lambda path: shutil.copyfile(source, path))
    taken_from = {"run": other.run_id, "unit": name}
    result = {**other.result(name), **training.to_json(), "taken_from": taken_from}
    write_json(folder.result_file(training.name), result)
    Checkpoint(folder, training.name, pause=0).remove()
