"""A retraining of one rule beside its baselines: the plan that the Prune page and `retrain` start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from diet_core.config import Rule, Workspace
from diet_core.errors import DietError, SettingError
from diet_core.experiments.arms import BASELINES, standard_arms
from diet_core.experiments.plan import Plan, lay_out_plan
from diet_core.runs.folder import RunFolder, all_runs

PRUNES: Final = {"static": ("static",), "dynamic": ("dynamic",), "both": ("static", "dynamic")}


@dataclass(frozen=True)
class Retraining:
    """A rule, what it is compared with, and on which terms; `plan` spells it out.

    Attributes:
        rule: The selection.
        repeats: Trainings per arm; repeat i has seed 10000 + i.
        baselines: Of full and random.
        epochs: As in `Plan`, and so on down to `max_steps`.
        budget: epochs or steps.
        choose: last, heldout or best.
        curve: Evaluations per training; 0 = one after each epoch.
        max_steps: Steps of every arm, with the budget steps.
        prune: static, dynamic or both.
    """

    rule: Rule
    repeats: int = 3
    baselines: tuple[str, ...] = BASELINES
    epochs: int | None = None
    budget: str = "epochs"
    choose: str = "last"
    curve: int = 0
    max_steps: int | None = None
    prune: str = "static"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.prune not in PRUNES:
            raise SettingError(f"prune is {self.prune!r}. Choose one of: {', '.join(PRUNES)}.")
        _ = self.plan

    @property
    def plan(self) -> Plan:
        """The arms, repeats and terms.

        >>> [arm.name for arm in Retraining(Rule(), baselines=("random",)).plan.arms]
        ['selected', 'random']
        """
        return Plan(
            standard_arms(self.rule, self.baselines, PRUNES[self.prune]),
            repeats=self.repeats,
            epochs=self.epochs,
            budget=self.budget,
            choose=self.choose,
            curve=self.curve,
            max_steps=self.max_steps,
        )


def plan_retraining(
    workspace: Workspace, scored: RunFolder, retraining: Retraining, decisions: pd.DataFrame | None = None
) -> RunFolder:
    """Lay out a run that trains on the selection and on each baseline; see `plans.lay_out_plan`.

    Args:
        workspace: Where.
        scored: The scoring run.
        retraining: What to train.
        decisions: The effective decisions (example_id, action, label); None = the rule alone.

    Raises:
        SettingError: If the rule leaves nothing.
        RunStateError: If the run has no scores.
    """
    return lay_out_plan(workspace, scored, retraining.plan, decisions=decisions)


def retrainings(workspace: Workspace, scored_run: str) -> list[RunFolder]:
    """Return the retrainings on the scores of a run, the newest first; damaged folders are left out."""
    return [folder for folder in all_runs(workspace) if _is_of(folder, scored_run)]


def _is_of(folder: RunFolder, scored_run: str) -> bool:
    try:
        return folder.config().scored_run == scored_run
    except DietError:
        return False
