"""Retrainings in words: what one was started with, its budget, and which evaluation its numbers are of."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from diet_core.encoders import encoder_tag
from diet_core.errors import DietError
from diet_core.experiments.arms import Arm
from diet_core.experiments.plan import Plan, plan_of
from diet_core.run_config import RunConfig
from diet_core.runs.folder import RunFolder
from diet_core.tables import SCORES

BUDGETS: Final = {"epochs": "Equal epochs", "steps": "Equal steps"}
# By `Plan.choose`: as an option, and within a sentence.
CHOICES: Final = {
    "last": ("The last one", "the last epoch"),
    "heldout": (
        "Best on held-out training examples",
        "the epoch that did best on held-out training examples",
    ),
    "best": (
        "Best on the test split (as the paper did)",
        "the epoch that did best on the test split itself, as the paper did, which flatters every arm",
    ),
}


def title_of_run(folder: RunFolder) -> str:
    """Return when a retraining was started and with what; its id where that cannot be read."""
    try:
        return _title(folder.config(), plan_of(folder))
    except (DietError, KeyError, TypeError, ValueError):
        return f"{folder.run_id} (cannot be read)"


def _title(config: RunConfig, plan: Plan) -> str:
    parts = [
        f"{datetime.fromisoformat(config.created_at):%Y-%m-%d %H:%M} UTC",
        selections_in_words(plan.arms),
        *([_counted(config.n_decisions, "decision")] if config.n_decisions else []),
        _counted(plan.repeats, "repeat"),
        f"{_counted(config.settings.epochs, 'epoch')}, {BUDGETS[plan.budget].lower()}",
        *(["best on the test split"] if plan.choose == "best" else []),
        *filter(None, [encoder_tag(config.settings.encoder)]),
    ]
    return " · ".join(parts)


def selections_in_words(arms: tuple[Arm, ...]) -> str:
    """Return what a plan compares: its selection, or how many there are and by which scores."""
    ours = [arm for arm in arms if not arm.is_baseline]
    if len(ours) <= 1:
        return ours[0].title if ours else "Baselines only"
    by = dict.fromkeys(SCORES[arm.rule.by].title for arm in ours if arm.rule is not None)
    return f"{len(ours)} selections" + (f" by {', '.join(by)}" if by else "")


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
