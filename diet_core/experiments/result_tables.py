"""The finished trainings of a plan as tables: what each arm, training, evaluation and class has come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from diet_core.experiments.arms import Arm
from diet_core.experiments.plan import FIRST_SEED, Plan

# An arm's finished trainings: what their `result.json` holds, by their seed.
Results = Mapping[str, Mapping[int, Mapping[str, Any]]]

TRAINING: Final = ("n_train", "steps", "accuracy", "macro_f1", "seconds", "epoch", "step")
EVALUATION: Final = ("step", "epoch", "accuracy", "loss", "macro_f1")
_WHICH: Final = ("arm", "title", "repeat")


@dataclass(frozen=True)
class ArmResult:
    """What the finished trainings of an arm have come to.

    Attributes:
        name: Of the arm.
        title: Short words for it.
        kind: rule, full, random or ids.
        n_train: Examples that a training is given, of a dynamic arm the whole pool; None before the first.
        steps: Optimizer steps of a training; None where the run is too old to say.
        accuracy: Of each finished repeat in order; None without a test split.
        macro_f1: The same.
        seconds: Mean of a training's whole time; None before the first.
    """

    name: str
    title: str
    kind: str
    n_train: int | None
    steps: int | None
    accuracy: tuple[float | None, ...]
    macro_f1: tuple[float | None, ...]
    seconds: float | None

    @property
    def mean(self) -> float | None:
        """Mean accuracy."""
        return _mean(self.accuracy)

    @property
    def std(self) -> float | None:
        """Standard deviation of the accuracies (ddof 1; None with one)."""
        return _std(self.accuracy)

    @property
    def macro_f1_mean(self) -> float | None:
        """Mean macro-F1."""
        return _mean(self.macro_f1)

    @property
    def macro_f1_std(self) -> float | None:
        """Standard deviation of macro-F1 (ddof 1; None with one)."""
        return _std(self.macro_f1)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _std(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.std(there, ddof=1)) if len(there) > 1 else None


def arm_result(arm: Arm, results: Sequence[Mapping[str, Any]]) -> ArmResult:
    """Return what an arm's finished trainings have come to.

    Args:
        arm: The arm.
        results: What their `result.json` holds, in the order of the repeats.
    """
    first: Mapping[str, Any] = results[0] if results else {}
    return ArmResult(
        name=arm.name,
        title=arm.title,
        kind=arm.kind,
        n_train=first.get("n_train"),
        steps=first.get("steps"),
        accuracy=tuple(result["accuracy"] for result in results),
        macro_f1=tuple(result.get("macro_f1") for result in results),
        seconds=_mean([result["seconds"]["total"] for result in results]),
    )


def trainings_table(plan: Plan, results: Results) -> pd.DataFrame:
    """Return a row per finished training: arm, title, repeat (from 1), seed and `TRAINING`."""
    rows = [
        which
        | {"seed": result["seed"]}
        | {name: result.get(name) for name in TRAINING}
        | {"seconds": result["seconds"]["total"]}
        for which, result in _finished(plan, results)
    ]
    return pd.DataFrame(rows, columns=[*_WHICH, "seed", *TRAINING])


def recalls_table(plan: Plan, results: Results) -> pd.DataFrame:
    """Return a row per finished training and class: arm, title, repeat, label, recall (None without any)."""
    rows = [
        which | {"label": label, "recall": recall}
        for which, result in _finished(plan, results)
        for label, recall in _recalls(result).items()
    ]
    return pd.DataFrame(rows, columns=[*_WHICH, "label", "recall"])


def _recalls(result: Mapping[str, Any]) -> Mapping[str, float | None]:
    """Return the recall of each class at the evaluation that counts."""
    if "per_class_recall" in result:
        return dict(result["per_class_recall"])
    of_epoch = [metrics for metrics in result["metrics"] if metrics["epoch"] == result["epoch"]]
    return dict(of_epoch[-1]["per_class_recall"]) if of_epoch else {}


def curves_table(plan: Plan, results: Results) -> pd.DataFrame:
    """Return a row per evaluation: arm, title, repeat and `EVALUATION`; old runs have no step."""
    rows = [
        which | {name: point.get(name) for name in EVALUATION}
        for which, result in _finished(plan, results)
        for point in result.get("curve") or result["metrics"]
    ]
    return pd.DataFrame(rows, columns=[*_WHICH, *EVALUATION])


def _finished(plan: Plan, results: Results) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield which training it is, and its result, arm by arm."""
    for arm in plan.arms:
        for seed, result in results[arm.name].items():
            yield {"arm": arm.name, "title": arm.title, "repeat": seed - FIRST_SEED + 1}, result


def progress_table(plan: Plan, results: Results, run_state: str, at_work: str | None) -> pd.DataFrame:
    """Return a row per arm: arm, title, done and of (trainings), state.

    Args:
        plan: What was planned.
        results: What is finished.
        run_state: One of `tables.RUN_STATES`.
        at_work: The arm of the training under way.

    Returns:
        The state is done, running, waiting, or that of a run that has ended before it.
    """
    rows = []
    for arm in plan.arms:
        done = len(results[arm.name])
        state = "done" if done == plan.repeats else _open_state(run_state, arm.name == at_work)
        rows.append({"arm": arm.name, "title": arm.title, "done": done, "of": plan.repeats, "state": state})
    return pd.DataFrame(rows, columns=["arm", "title", "done", "of", "state"])


def _open_state(state: str, is_at_work: bool) -> str:
    if state not in ("queued", "running"):
        return state
    return "running" if is_at_work and state == "running" else "waiting"
