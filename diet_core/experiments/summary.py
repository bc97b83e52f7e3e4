"""The result of a retraining, as the command line, the notebook and the pages report it."""

from __future__ import annotations

from typing import Any

from diet_core.experiments.result_tables import ArmResult
from diet_core.experiments.results import plan_results
from diet_core.runs.folder import RunFolder


def retrain_summary(folder: RunFolder) -> dict[str, Any]:
    """Return the result of a retraining run: each arm with the accuracy of every repeat, and what that says.

    Arms without a finished training are left out.
    """
    found, status = plan_results(folder), folder.status()
    return {
        "run_id": folder.run_id,
        "state": status.state,
        "seconds": status.seconds,
        "encoder": folder.config().settings.encoder,
        "choose": found.plan.choose,
        "arms": [_arm(arm) for arm in found.arms if arm.accuracy],
        "differences": found.differences().to_dict("records"),
        "sentences": found.sentences(),
    }


def _arm(arm: ArmResult) -> dict[str, Any]:
    """Return an arm with accuracy and macro-F1 of each repeat; mean and std are the accuracy's."""
    return {
        "name": arm.name,
        "title": arm.title,
        "kind": arm.kind,
        "n_train": arm.n_train,
        "steps": arm.steps,
        "accuracy": list(arm.accuracy),
        "mean": arm.mean,
        "std": arm.std,
        "macro_f1": list(arm.macro_f1),
        "macro_f1_mean": arm.macro_f1_mean,
        "macro_f1_std": arm.macro_f1_std,
        "seconds": arm.seconds,
    }
