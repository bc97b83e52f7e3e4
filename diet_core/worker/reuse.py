"""Trainings that other runs have done, taken over by a run that asks for it: the same gives the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from diet_core.data.formats.files import sha256_of
from diet_core.errors import DietError
from diet_core.runs.fact_files import finished_units, predictions_file
from diet_core.runs.folder import RunFolder, all_runs_in, write_atomically, write_json
from diet_core.worker.checkpoint import Checkpoint

# Of config.json: what a training of a plan depends on beside its own examples, seed and steps.
_SETTINGS: Final = ("kind", "training", "model", "environment", "choose", "curve")


def take_over(folder: RunFolder, log: Callable[[str], None]) -> None:
    """Copy what is still to be trained from runs that have done the same, if the run asks for it.

    The same is: equal examples in equal order, test split, settings, model, seed, steps, device and versions.

    Args:
        folder: Of a run with `reuse` in its config.json; of others nothing is done.
        log: Takes lines for the run's log.

    Raises:
        RunStateError: If a file of the run itself cannot be read.
    """
    config = folder.config()
    if not config.get("reuse"):
        return
    finished = finished_units(folder)
    wanted = [unit for unit in config["units"] if unit["name"] not in finished]
    done = {key: found for other in reversed(_others(folder)) for key, found in _done(other).items()}
    of_run = _of_run(folder, config)
    for unit in wanted:
        if (found := done.get(_key(folder, config, unit, of_run))) is not None:
            _copy(*found, folder, unit)
            log(f"{unit['name']} is taken over from {found[1]} of {found[0].run_id}")


def _others(folder: RunFolder) -> list[RunFolder]:
    return [other for other in all_runs_in(folder.path.parent) if other.run_id != folder.run_id]


def _done(other: RunFolder) -> dict[str, tuple[RunFolder, str]]:
    """Return the finished trainings of a retraining by their keys.

    None of a run that cannot be read, or that went on in another environment than it began in: which of its
    trainings were done where is not known.
    """
    try:
        config = other.config()
        if config["kind"] != "retrain" or "changed" in config:
            return {}
        finished, of_run = finished_units(other), _of_run(other, config)
        return {
            _key(other, config, unit, of_run): (other, unit["name"])
            for unit in config["units"]
            if unit["name"] in finished and predictions_file(other, unit["name"]).exists()
        }
    except (DietError, OSError, KeyError):
        return {}


def _of_run(folder: RunFolder, config: Mapping[str, Any]) -> list[Any]:
    """Return what all trainings of a run have in common."""
    files = (folder.examples_file, folder.path / "heldout.parquet")
    return [
        *(config.get(name) for name in _SETTINGS),
        config["dataset"]["classes"],
        *map(_sha256, files),
    ]


def _key(folder: RunFolder, config: Mapping[str, Any], unit: Mapping[str, Any], of_run: list[Any]) -> str:
    """Return what is equal for two trainings if and only if they are the same."""
    steps = unit.get("total_steps") or config.get("total_steps")
    examples = _sha256(folder.unit(unit["name"]) / "train.parquet")
    return json.dumps([of_run, unit["seed"], unit.get("dynamic"), steps, examples], sort_keys=True)


def _sha256(file: Path) -> str | None:
    return sha256_of(file) if file.exists() else None


def _copy(other: RunFolder, name: str, folder: RunFolder, unit: Mapping[str, Any]) -> None:
    """Copy a training's predictions, then its result, which says that it is finished.

    What an interrupted training has left in the run is of no use any more.
    """
    source = predictions_file(other, name)
    write_atomically(predictions_file(folder, unit["name"]), lambda path: shutil.copyfile(source, path))
    taken_from = {"run": other.run_id, "unit": name}
    write_json(folder.result_file(unit["name"]), {**other.result(name), **unit, "taken_from": taken_from})
    Checkpoint(folder, unit["name"], pause=0).remove()
