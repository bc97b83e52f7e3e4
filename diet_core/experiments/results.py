"""Results of a retraining: every training, differences with their intervals, and what these allow to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import RunStateError, SettingError
from diet_core.experiments.arms import Arm, reference_of
from diet_core.experiments.plan import FIRST_SEED, Plan, plan_of
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
_WHICH: Final = ("arm", "title", "repeat")
_TRAINING: Final = ("n_train", "steps", "accuracy", "macro_f1", "seconds", "epoch", "step")
_EVALUATION: Final = ("step", "epoch", "accuracy", "loss", "macro_f1")

# By arm and seed: what the `result.json` of a finished training holds.
Results = Mapping[str, Mapping[int, Mapping[str, Any]]]


@dataclass(frozen=True)
class ArmResult:
    """Results of an arm's finished trainings.

    Attributes:
        name: Of the arm.
        title: Short words for it.
        kind: rule, full, random or ids.
        n_train: Examples that a training is given, of a dynamic arm the whole pool; None before the first.
        steps: Optimizer steps of a training; None where the run is too old to say.
        accuracy: Of each finished repeat in order; None without a test split.
        mean: Mean accuracy.
        std: Standard deviation of the accuracies (ddof 1; None with one).
        macro_f1: Of each finished repeat, as the accuracy.
        macro_f1_mean: Its mean.
        macro_f1_std: Its standard deviation.
        seconds: Mean of a training's whole time; None before the first.
    """

    name: str
    title: str
    kind: str
    n_train: int | None
    steps: int | None
    accuracy: list[float | None]
    mean: float | None
    std: float | None
    macro_f1: list[float | None]
    macro_f1_mean: float | None
    macro_f1_std: float | None
    seconds: float | None


def _arm_result(arm: Arm, results: Sequence[Mapping[str, Any]]) -> ArmResult:
    first: Mapping[str, Any] = results[0] if results else {}
    which = (arm.name, arm.title, arm.kind, first.get("n_train"), first.get("steps"))
    accuracy, macro_f1 = ([result.get(name) for result in results] for name in ("accuracy", "macro_f1"))
    seconds, _ = _mean_and_std([result["seconds"]["total"] for result in results])
    return ArmResult(*which, accuracy, *_mean_and_std(accuracy), macro_f1, *_mean_and_std(macro_f1), seconds)


def _mean_and_std(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    there = [value for value in values if value is not None]
    std = float(np.std(there, ddof=1)) if len(there) > 1 else None
    return float(np.mean(there)) if there else None, std


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
    _predicted_by: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def arms(self) -> list[ArmResult]:
        """The arms in the plan's order, with what is finished of them."""
        return [_arm_result(arm, list(self.by_arm[arm.name].values())) for arm in self.plan.arms]

    @cached_property
    def trainings(self) -> pd.DataFrame:
        """A row per finished training: arm, title, repeat (from 1), seed and `_TRAINING`."""
        rows = [
            which
            | {"seed": result["seed"]}
            | {name: result.get(name) for name in _TRAINING}
            | {"seconds": result["seconds"]["total"]}
            for which, result in self._finished()
        ]
        return pd.DataFrame(rows, columns=[*_WHICH, "seed", *_TRAINING])

    @cached_property
    def recalls(self) -> pd.DataFrame:
        """A row per finished training and class: arm, title, repeat, label, recall (None without any)."""
        rows = [
            which | {"label": label, "recall": recall}
            for which, result in self._finished()
            for label, recall in _recalls(result).items()
        ]
        return pd.DataFrame(rows, columns=[*_WHICH, "label", "recall"])

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row per evaluation: arm, title, repeat, `_EVALUATION`; old runs have no step."""
        rows = [
            which | {name: point.get(name) for name in _EVALUATION}
            for which, result in self._finished()
            for point in result.get("curve") or result["metrics"]
        ]
        return pd.DataFrame(rows, columns=[*_WHICH, *_EVALUATION])

    def _finished(self) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
        """Yield which training it is, and its result, arm by arm."""
        for arm in self.plan.arms:
            for seed, result in self.by_arm[arm.name].items():
                yield {"arm": arm.name, "title": arm.title, "repeat": seed - FIRST_SEED + 1}, result

    @cached_property
    def progress(self) -> pd.DataFrame:
        """A row per arm, as `progress_table` says."""
        status = self.folder.status()
        arms = {training.name: training.arm for training in self.folder.config().trainings}
        at_work = arms.get(str(status.training))
        return progress_table(self.plan, self.by_arm, status.state, at_work)

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
                _difference_row(arm, other, interval)
                for arm, others in self._pairs()
                for other in others
                if (interval := self._interval(arm, other, metric)) is not None
            ]
            self._differences[metric] = pd.DataFrame(rows, columns=list(_DIFFERENCES))
        return self._differences[metric]

    def sentences(self, metric: str = "accuracy") -> list[str]:
        """Return a sentence for each arm that is no baseline and has a finished training.

        Args:
            metric: accuracy or macro_f1.
        """
        intervals = {
            (row.arm, row.reference): Interval(*(getattr(row, name) for name in _INTERVAL))
            for row in self.differences(metric).itertuples(index=False)
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
        return [(arm, self._references(arm)) for arm in self.plan.arms if not arm.is_baseline]

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
            if name not in self._predicted_by:
                self._predicted_by[name] = _predictions(self.folder, name, self._test[0])
        return np.stack([self._predicted_by[name] for name in names])

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


def progress_table(plan: Plan, results: Results, run_state: str, at_work: str | None) -> pd.DataFrame:
    """Return a row per arm: arm, title, done and of (trainings), state.

    The state is done, running, waiting, or that of a run that has ended before it.

    Args:
        plan: What was planned.
        results: What is finished.
        run_state: One of `tables.RUN_STATES`.
        at_work: The arm of the training under way.
    """
    rows = []
    for arm in plan.arms:
        done = len(results[arm.name])
        state = "done" if done == plan.repeats else _open_state(run_state, arm.name == at_work)
        rows.append({"arm": arm.name, "title": arm.title, "done": done, "of": plan.repeats, "state": state})
    return pd.DataFrame(rows, columns=["arm", "title", "done", "of", "state"])


def _open_state(state: str, is_at_work: bool) -> str:
    if state == "queued" or (state == "running" and not is_at_work):
        return "waiting"
    return state


def _recalls(result: Mapping[str, Any]) -> Mapping[str, float | None]:
    """Return the recall of each class at the evaluation that counts."""
    if "per_class_recall" in result:
        return dict(result["per_class_recall"])
    of_epoch = [metrics for metrics in result["metrics"] if metrics["epoch"] == result["epoch"]]
    return dict(of_epoch[-1]["per_class_recall"]) if of_epoch else {}


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


_INTERVALS: Final[dict[str, Callable[..., Interval]]] = {
    "accuracy": lambda ours, theirs, labels: paired_interval(ours == labels, theirs == labels),
    "macro_f1": paired_f1_interval,
}


def _difference_row(arm: Arm, other: Arm, interval: Interval) -> dict[str, Any]:
    arms = (arm.name, arm.title, other.name, other.title, other.kind)
    numbers = [getattr(interval, name) for name in (*_INTERVAL, "is_clear")]
    return dict(zip(_DIFFERENCES, [*arms, *numbers], strict=True))


def retrain_summary(folder: RunFolder) -> dict[str, Any]:
    """Return the result of a retraining as the command line, the notebook and the pages report it.

    Arms without a finished training are left out; mean and std of an arm are the accuracy's.
    """
    results, status = plan_results(folder), folder.status()
    return {
        "run_id": folder.run_id,
        "state": status.state,
        "seconds": status.seconds,
        "encoder": folder.config().settings.encoder,
        "choose": results.plan.choose,
        "arms": [asdict(arm) for arm in results.arms if arm.accuracy],
        "differences": results.differences().to_dict("records"),
        "sentences": results.sentences(),
    }
