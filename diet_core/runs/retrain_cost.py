"""Retrainings of a scoring run, and what another one would cost."""

from __future__ import annotations

from collections.abc import Sequence

from diet_core.config import Workspace
from diet_core.encoders import FROZEN, encoder_of
from diet_core.errors import DietError
from diet_core.runs.folder import RunFolder, all_runs


def retrainings(workspace: Workspace, scored_run: str) -> list[RunFolder]:
    """Return the retrainings on the scores of a run, the newest first; damaged folders are left out."""
    return [folder for folder in all_runs(workspace) if _is_of(folder, scored_run)]


def _is_of(folder: RunFolder, scored_run: str) -> bool:
    try:
        return folder.config().get("scored_run") == scored_run
    except DietError:
        return False


def estimated_seconds(scored: RunFolder, n_train: Sequence[int], epochs: int, repeats: int) -> float | None:
    """Return how long the trainings would take at the speed that the scoring run trained with.

    Args:
        scored: The scoring run, finished.
        n_train: Training examples of each arm.
        epochs: Of each training.
        repeats: Trainings per arm.

    Returns:
        Seconds, without the reading out on the test split; None if the run's speed is not known.
    """
    config, seconds = scored.config(), (scored.status().get("seconds") or {}).get("train")
    done = [n * config["training"]["epochs"] for n in _n_trained(scored)]
    if not seconds or not sum(done):
        return None
    per_example = float(seconds) / float(sum(done))
    # With a frozen encoder every text is embedded again, once.
    embedding = float(scored.status()["seconds"]["score"]) if encoder_of(config) == FROZEN else 0.0
    return embedding + per_example * sum(n_train) * epochs * repeats


def _n_trained(scored: RunFolder) -> list[int]:
    from diet_core.runs.fact_files import finished_units

    return [int(result["n_train"]) for result in finished_units(scored).values()]
