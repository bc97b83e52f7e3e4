"""Retrainings of a scoring run, and what another one would cost."""

from __future__ import annotations

from collections.abc import Sequence

from diet_core.config import Workspace
from diet_core.encoders import FROZEN
from diet_core.errors import DietError
from diet_core.runs.folder import RunFolder, all_runs


def retrainings(workspace: Workspace, scored_run: str) -> list[RunFolder]:
    """Return the retrainings on the scores of a run, the newest first; damaged folders are left out."""
    return [folder for folder in all_runs(workspace) if _is_of(folder, scored_run)]


def _is_of(folder: RunFolder, scored_run: str) -> bool:
    try:
        return folder.config().scored_run == scored_run
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
    from diet_core.runs.fact_files import finished_trainings

    settings, seconds = scored.config().settings, scored.status().seconds or {}
    n_passed = settings.epochs * sum(int(result["n_train"]) for result in finished_trainings(scored).values())
    if not seconds.get("train") or not n_passed:
        return None
    # With a frozen encoder every text is embedded again, once.
    embedding = seconds["score"] if settings.encoder == FROZEN else 0.0
    per_example = seconds["train"] / n_passed
    return embedding + per_example * sum(n_train) * epochs * repeats
