"""What a plan has come to: every training, differences with their intervals, and what these allow to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import RunStateError, SettingError
from diet_core.experiments import result_tables
from diet_core.experiments.arms import Arm, reference_of
from diet_core.experiments.plan import Plan, plan_of
from diet_core.experiments.result_tables import ArmResult, Results
from diet_core.runs.fact_files import finished_trainings, predictions_file, test_predictions
from diet_core.runs.facts import class_numbers, read_snapshot
from diet_core.runs.folder import RunFolder
from diet_core.scoring.statistics.paired import (
    Interval,
    paired_f1_interval,
    paired_interval,
    repeats_interval,
)
from diet_core.scoring.statistics.paired_words import difference_sentence, no_test_sentence

METRICS: Final = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
REFERENCES: Final = {"random": "random of the same size", "full": "all examples"}
_INTERVAL: Final = ("mean", "low", "high", "n_repeats", "n_test")
_DIFFERENCES: Final = ("arm", "title", "reference", "reference_title", "kind", *_INTERVAL, "is_clear")


@dataclass(frozen=True)
class PlanResults:
    """The results of a plan so far, as its folder's files say.

    Attributes:
        folder: Of the run.
        plan: What was planned.
        by_arm: What is finished of each arm.
    """

    folder: RunFolder
    plan: Plan
    by_arm: Results
    _differences: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _of_unit: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def arms(self) -> list[ArmResult]:
        """The arms in the plan's order, with what is finished of them."""
        of_arm = [(arm, list(self.by_arm[arm.name].values())) for arm in self.plan.arms]
        return [result_tables.arm_result(arm, results) for arm, results in of_arm]

    @cached_property
    def trainings(self) -> pd.DataFrame:
        """A row per finished training, as `trainings_table` says."""
        return result_tables.trainings_table(self.plan, self.by_arm)

    @cached_property
    def recalls(self) -> pd.DataFrame:
        """A row per finished training and class, as `recalls_table` says."""
        return result_tables.recalls_table(self.plan, self.by_arm)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row per evaluation, as `curves_table` says."""
        return result_tables.curves_table(self.plan, self.by_arm)

    @cached_property
    def progress(self) -> pd.DataFrame:
        """A row per arm, as `progress_table` says."""
        status = self.folder.status()
        arms = {training.name: training.arm for training in self.folder.config().trainings}
        at_work = arms.get(str(status.training))
        return result_tables.progress_table(self.plan, self.by_arm, status.state, at_work)

    def differences(self, metric: str = "accuracy") -> pd.DataFrame:
        """Return a row per selection and reference: how much better it did, with a 95 % interval.

        References are the random arm of the same size, and all examples. A pair without a common repeat, or
        without a test split, has no row.

        Args:
            metric: accuracy or macro_f1.

        Returns:
            Columns arm, title, reference, reference_title, kind (of the reference: random or full), mean,
            low, high (shares; above 0 means that the arm is better), n_repeats, n_test (0 where the run has
            not kept its predictions: the interval is over the repeats alone), is_clear.

        Raises:
            SettingError: If the metric is unknown.
            RunStateError: If a file cannot be read.
        """
        if metric not in METRICS:
            raise SettingError(f"{metric!r} is no metric. Choose one of: {', '.join(METRICS)}.")
        if metric not in self._differences:
            rows = [
                _difference_row(arm, other, found)
                for arm, others in self._pairs()
                for other in others
                if (found := self._interval(arm, other, metric)) is not None
            ]
            self._differences[metric] = pd.DataFrame(rows, columns=list(_DIFFERENCES))
        return self._differences[metric]

    def sentences(self, metric: str = "accuracy") -> list[str]:
        """Return a sentence for each arm that is no baseline and has a finished training.

        Args:
            metric: accuracy or macro_f1.
        """
        found = self.differences(metric).itertuples(index=False)
        intervals = {
            (row.arm, row.reference): Interval(*(getattr(row, name) for name in _INTERVAL)) for row in found
        }
        return [
            self._sentence(arm, others, intervals, metric)
            for arm, others in self._pairs()
            if self.by_arm[arm.name]
        ]

    def _sentence(
        self, arm: Arm, others: Sequence[Arm], intervals: Mapping[Any, Interval], metric: str
    ) -> str:
        if all(result["accuracy"] is None for result in self.by_arm[arm.name].values()):
            return no_test_sentence(arm.title)
        against = [(REFERENCES[other.kind], intervals.get((arm.name, other.name))) for other in others]
        return difference_sentence(arm.title, against, METRICS[metric])

    def _pairs(self) -> list[tuple[Arm, list[Arm]]]:
        """Return each selection with its references, random before full."""
        ours = [arm for arm in self.plan.arms if not arm.is_baseline]
        return [(arm, self._references(arm)) for arm in ours]

    def _references(self, arm: Arm) -> list[Arm]:
        random = reference_of(arm, self.plan.arms, self._n_train)
        full = [other for other in self.plan.arms if other.kind == "full"]
        return [*([random] if random else []), *full]

    def _n_train(self, arm: Arm) -> int | None:
        return next((int(result["n_train"]) for result in self.by_arm[arm.name].values()), None)

    def _interval(self, ours: Arm, theirs: Arm, metric: str) -> Interval | None:
        """Return the interval of two arms over their common repeats; None without one, or a metric."""
        a, b = self.by_arm[ours.name], self.by_arm[theirs.name]
        seeds = [s for s in a if s in b and None not in (a[s].get(metric), b[s].get(metric))]
        if not seeds:
            return None
        names = [[of[seed]["name"] for seed in seeds] for of in (a, b)]
        if all(predictions_file(self.folder, name).exists() for name in names[0] + names[1]):
            return _INTERVALS[metric](*(self._predicted(of) for of in names), self._test[1])
        return repeats_interval([a[s][metric] for s in seeds], [b[s][metric] for s in seeds])

    def _predicted(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the predicted class numbers of trainings, shape (n_trainings, n_test)."""
        for name in names:
            if name not in self._of_unit:
                self._of_unit[name] = _predictions(self.folder, name, self._test[0])
        return np.stack([self._of_unit[name] for name in names])

    @cached_property
    def _test(self) -> tuple[pd.Index, NDArray[np.int64]]:
        """The ids and class numbers of the test split."""
        snapshot = read_snapshot(self.folder)
        test = snapshot[snapshot["split"] == "test"]
        classes = self.folder.config().dataset.classes
        return pd.Index(test["example_id"]), class_numbers(test["label"], classes)


def plan_results(folder: RunFolder) -> PlanResults:
    """Return the results of a retraining so far, also of one that an older version made.

    Raises:
        RunStateError: If a file cannot be read.
        SettingError: If the run holds no plan.
    """
    plan = plan_of(folder)
    by_arm: dict[str, dict[int, Mapping[str, Any]]] = {arm.name: {} for arm in plan.arms}
    for result in finished_trainings(folder).values():
        by_arm.setdefault(result["arm"], {})[result["seed"]] = result
    return PlanResults(folder, plan, by_arm)


def _predictions(folder: RunFolder, unit: str, ids: pd.Index) -> NDArray[np.int64]:
    """Return the predicted class numbers of a training in the order of the ids."""
    table = test_predictions(folder, unit)
    places = ids.get_indexer(pd.Index(table["example_id"]))
    if len(table) != len(ids) or (places < 0).any():
        raise RunStateError(
            f"{unit} of {folder.run_id} has predictions of other test examples than the run. Run it again."
        )
    predicted = np.empty(len(ids), dtype=np.int64)
    predicted[places] = table["predicted"].to_numpy()
    return predicted


def _accuracy_interval(
    ours: NDArray[np.int64], theirs: NDArray[np.int64], labels: NDArray[np.int64]
) -> Interval:
    return paired_interval(ours == labels, theirs == labels)


_INTERVALS: Final[dict[str, Callable[..., Interval]]] = {
    "accuracy": _accuracy_interval,
    "macro_f1": paired_f1_interval,
}


def _difference_row(arm: Arm, other: Arm, found: Interval) -> dict[str, Any]:
    named = {"arm": arm.name, "title": arm.title}
    reference = {"reference": other.name, "reference_title": other.title, "kind": other.kind}
    numbers = {name: getattr(found, name) for name in (*_INTERVAL, "is_clear")}
    return named | reference | numbers
