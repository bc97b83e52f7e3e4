"""The results of a retraining, read once for each training that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import streamlit as st

from diet_core.charts.experiments import arm_colours
from diet_core.experiments.plan import Plan, plan_of
from diet_core.experiments.results import PlanResults, plan_results
from diet_core.runs.folder import RunFolder

BASELINES = ("random", "full")
MAX_ARMS = 6  # of one chart at first; more lines cannot be told apart
# Columns in which a number may be missing: of older runs, or without a test split.
_NUMBERS = ("accuracy", "macro_f1", "loss", "recall", "step", "steps", "minutes", "mean", "std", "n_train")


@dataclass(frozen=True)
class RetrainResults:
    """The results of a plan so far, as tables in which no two arms have the same title.

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
        """The conclusion on each selection."""
        return self.results.sentences()

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
        rows = self._titled(self.results.differences(metric))
        of = rows["reference"]
        return rows.assign(reference_title=of.map(self.titles), kind=of.map(self.kinds))

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row per arm: title, n_train, steps, minutes of one training, mean, std, shares saved."""
        columns = ("name", "n_train", "steps", "seconds", "mean", "std")
        rows = pd.DataFrame([[getattr(arm, name) for name in columns] for arm in self.results.arms])
        rows = rows.set_axis(["arm", *columns[1:]], axis="columns")
        rows = self._titled(rows.assign(minutes=rows["seconds"].astype(float) / 60))
        full = rows[rows["arm"].map(self.kinds) == "full"].head(1)
        for name in ("steps", "minutes"):
            rows[f"{name}_saved"] = 1 - rows[name] / (full[name].iloc[0] if len(full) else float("nan"))
        return rows

    def _titled(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with the titles; what is missing in it is not a number."""
        numbers = {name: table[name].astype(float) for name in _NUMBERS if name in table}
        return table.assign(title=table["arm"].map(self.titles), **numbers)


def retrain_results_of(folder: RunFolder) -> RetrainResults:
    """Return the results of a retraining; they are read again only when a training has begun or ended.

    Raises:
        RunStateError: If a file is damaged.
        SettingError: If the folder holds no plan.
    """
    status = folder.status()
    ended = tuple(_changed_at(folder, training.name) for training in folder.config().trainings)
    return _results(str(folder.path), status.state, status.training, ended)


def _changed_at(folder: RunFolder, training: str) -> int:
    """Return when a training's result was written; 0 without one."""
    file = folder.result_file(training)
    return file.stat().st_mtime_ns if file.exists() else 0


@st.cache_resource(show_spinner=False, max_entries=16)
def _results(path: str, state: str, training: str | None, ended: tuple[int, ...]) -> RetrainResults:
    folder = RunFolder(Path(path))
    return RetrainResults(folder.run_id, plan_of(folder), plan_results(folder))
