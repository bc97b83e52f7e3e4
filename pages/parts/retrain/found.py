"""What came of a retraining, read once for each training that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts.experiments import arm_colours

if TYPE_CHECKING:
    from diet_core.experiments.plan import Plan
    from diet_core.experiments.results import PlanResults
    from diet_core.runs.folder import RunFolder


BASELINES = ("random", "full")
MAX_ARMS = 6  # of one chart at first; more lines cannot be told apart


@dataclass(frozen=True)
class Found:
    """The results of a plan so far; titles are unlike each other.

    Attributes:
        run_id: Of the retraining.
        plan: What was planned.
        results: What the files say.
    """

    run_id: str
    plan: Plan
    results: PlanResults

    @cached_property
    def titles(self) -> dict[str, str]:
        """The arms' titles by name, in the plan's order."""
        titles = [arm.title for arm in self.plan.arms]
        return {
            arm.name: arm.title if titles.count(arm.title) == 1 else f"{arm.title} ({arm.name})"
            for arm in self.plan.arms
        }

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The arms' kinds by name."""
        return {arm.name: arm.kind for arm in self.plan.arms}

    @cached_property
    def colours(self) -> dict[str, str]:
        """The arms' colours by title; of many arms, those of one score have one colour."""
        if len(self.titles) <= MAX_ARMS:
            return self.colours_of(list(self.titles.values()))
        by = {arm.name: arm.rule.by if arm.rule else arm.kind for arm in self.plan.arms}
        return arm_colours({title: by[name] for name, title in self.titles.items()})

    def colours_of(self, titles: Sequence[str]) -> dict[str, str]:
        """Return colours of some arms that tell each of them apart."""
        of = {title: self.kinds[name] for name, title in self.titles.items()}
        return arm_colours({title: of[title] if of[title] in BASELINES else title for title in titles})

    @cached_property
    def sentences(self) -> list[str]:
        """What may be said of each selection."""
        return self.results.sentences()

    @cached_property
    def is_complete(self) -> bool:
        """Whether every training is finished."""
        return bool((self.progress["done"] == self.progress["of"]).all())

    @cached_property
    def progress(self) -> pd.DataFrame:
        """Columns arm, title, done, of, state."""
        return self._titled(self.results.progress)

    @cached_property
    def trainings(self) -> pd.DataFrame:
        """A row per finished training."""
        return self._titled(self.results.trainings)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row per evaluation."""
        return self._titled(self.results.curves)

    @cached_property
    def recalls(self) -> pd.DataFrame:
        """A row per training and class."""
        return self._titled(self.results.recalls)

    def differences(self, metric: str) -> pd.DataFrame:
        """Return the intervals, with reference_title and the reference's kind."""
        found = self._titled(self.results.differences(metric))
        return found.assign(
            reference_title=found["reference"].map(self.titles), kind=found["reference"].map(self.kinds)
        )

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row per arm: title, n_train, steps, minutes of one training, mean, std, shares saved."""
        rows = self._titled(pd.DataFrame([_cost(arm) for arm in self.results.arms]))
        full = rows[rows["arm"].map(self.kinds) == "full"].head(1)
        for name in ("steps", "minutes"):
            rows[f"{name}_saved"] = 1 - rows[name] / (full[name].iloc[0] if len(full) else float("nan"))
        return rows

    def _titled(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with titles that are unlike each other; what is missing in it is no number."""
        numbers = {name: table[name].astype(float) for name in _NUMBERS if name in table}
        return table.assign(title=table["arm"].map(self.titles), **numbers)


# Columns in which a number may be missing: of older runs, or without a test split.
_NUMBERS = ("accuracy", "macro_f1", "loss", "recall", "step", "steps", "minutes", "mean", "std", "n_train")


def _cost(arm: Any) -> dict[str, Any]:
    return {
        "arm": arm.name,
        "n_train": arm.n_train,
        "steps": arm.steps,
        "minutes": None if arm.seconds is None else arm.seconds / 60,
        "mean": arm.mean,
        "std": arm.std,
    }


def found_of(folder: RunFolder) -> Found:
    """Return the results of a retraining; they are read anew only when a training has begun or ended.

    Raises:
        RunStateError: If a file is damaged.
        SettingError: If the folder holds no plan.
    """
    status = folder.status()
    ended = tuple(_mark(folder, training.name) for training in folder.config().trainings)
    return _found(str(folder.path), status.state, status.training, ended)


def _mark(folder: RunFolder, training: str) -> int:
    """Return what changes when a training's result does; 0 without one."""
    file = folder.result_file(training)
    return file.stat().st_mtime_ns if file.exists() else 0


@st.cache_resource(show_spinner=False, max_entries=16)
def _found(path: str, state: str, training: str | None, ended: tuple[int, ...]) -> Found:
    from pathlib import Path

    from diet_core.experiments.plan import plan_of
    from diet_core.experiments.results import plan_results
    from diet_core.runs.folder import RunFolder

    folder = RunFolder(Path(path))
    return Found(folder.run_id, plan_of(folder), plan_results(folder))
