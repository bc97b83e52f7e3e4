"""The evaluations of one training on the test split, and which of them counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diet_core.config import curve_steps
from diet_core.run_config import PlannedTraining
from diet_core.runs.fact_files import predictions_file
from diet_core.runs.folder import write_table
from diet_core.scoring.evaluation import evaluation
from diet_core.worker.context import RunContext
from diet_core.worker.progress import Phase

# From a name of the rows and their numbers to logits.
LogitsOf = Callable[[str, NDArray[np.int64]], NDArray[np.float32]]
# What the evaluation that counts is best in.
_CHOSEN_BY: Final = {"heldout": "heldout_accuracy", "best": "accuracy"}
_CURVE: Final = ("step", "epoch", "accuracy", "loss", "macro_f1")


@dataclass
class Evaluations:
    """The evaluations at the planned steps of one training.

    Attributes:
        context: What the run's trainings share.
        training: The training.
        n_train: The examples that it trains on.
        metrics: By the step as text: an evaluation that comes again after a stop replaces itself.
    """

    context: RunContext
    training: PlannedTraining
    n_train: int
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The steps after which the training is evaluated: none of a fold, which has seen fewer examples."""
        if self.training.is_fold:
            return ()
        total = self.context.total_steps(self.training)
        return curve_steps(total, self._epoch_steps, self.context.config.curve)

    @property
    def _epoch_steps(self) -> int:
        return self.context.settings.epoch_steps(self.n_train)

    def is_due(self, step: int) -> bool:
        """Return whether an evaluation is planned after a step and was not done yet."""
        return step in self.steps and str(step) not in self.metrics

    def restore(self, metrics_by_step: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what a stopped worker had found."""
        for known in metrics_by_step.values():
            metrics = dict(known)
            if "step" not in metrics:  # of an older version, which named epochs only
                metrics |= {
                    "step": min(metrics["epoch"] * self._epoch_steps, self.steps[-1]),
                    "macro_f1": None,
                }
            self.metrics[str(metrics["step"])] = metrics

    def add(self, step: int, logits_of: LogitsOf) -> None:
        """Evaluate the model after a step; a retraining keeps the predictions of the one that counts."""
        logits, metrics = _evaluated(self.context, "test", self.context.rows_of("test"), logits_of)
        heldout = self.context.folder.heldout_file
        if heldout.exists():
            rows = self.context.rows_by_id(pq.read_table(heldout).column("example_id").to_pandas())
            metrics["heldout_accuracy"] = _evaluated(self.context, "heldout", rows, logits_of)[1]["accuracy"]
        where = {"epoch": -(-step // self._epoch_steps), "step": step, "n_train": self.n_train}
        self.metrics[str(step)] = where | metrics
        if self.context.config.kind == "retrain" and self._counting()["step"] == step:
            self._write_predictions(logits)

    def result(self) -> dict[str, Any]:
        """Return what a finished training reports of its evaluations: the one that counts, and the curve."""
        if not self.steps:
            epochs = self.context.settings.epochs
            return {"accuracy": None, "epoch": epochs, "n_train": self.n_train, "metrics": []}
        counts = self._counting()
        wanted = ("accuracy", "macro_f1", "per_class_recall", "epoch", "step", "n_train")
        return {
            **{name: counts[name] for name in wanted},
            "curve": [{name: metrics[name] for name in _CURVE} for metrics in self.metrics.values()],
            "metrics": list(self.metrics.values()),
        }

    def training_result(
        self, phases: Mapping[Phase, float], total: float, *, has_bias: bool
    ) -> dict[str, Any]:
        """Return the result of the finished training.

        Args:
            phases: Seconds by phase, as `Progress.seconds`.
            total: Seconds in all.
            has_bias: Whether the classifier has a bias.
        """
        steps = self.context.steps_to_record(self.training)
        facts = {"steps": steps, "has_bias": has_bias}
        score = phases["score"] + phases["gradients"]
        return {
            **self.training.to_json(),
            **self.result(),
            **(facts if steps else {"steps": self.context.total_steps(self.training)}),
            "seconds": {"train": phases["train"], "score": score, "total": total},
        }

    def _counting(self) -> dict[str, Any]:
        return counting(list(self.metrics.values()), self.context.config.choose)

    def _write_predictions(self, logits: NDArray[np.float32]) -> None:
        ids = self.context.ids_of(self.context.rows_of("test"))
        predicted = pa.array(logits.argmax(axis=1), pa.int16())
        table = pa.table({"example_id": pa.array(ids, pa.string()), "predicted": predicted})
        write_table(predictions_file(self.context.folder, self.training.name), table)


def counting(metrics: Sequence[dict[str, Any]], choose: str) -> dict[str, Any]:
    """Return the evaluation that counts: the last, or the best one; of equals the earliest.

    Args:
        metrics: At least one, in the order of the training.
        choose: `last`; `heldout` goes by the accuracy on held-out training examples; `best` by that on the
            test split which is reported, as the paper did. Where there are no examples to go by, the last.

    >>> curve = [{"step": 4, "accuracy": 0.9}, {"step": 8, "accuracy": 0.9}, {"step": 12, "accuracy": 0.8}]
    >>> counting(curve, "last")["step"], counting(curve, "best")["step"]
    (12, 4)
    """
    if choose == "last":
        return metrics[-1]
    key = _CHOSEN_BY[choose]
    rated = [one for one in metrics if one[key] is not None]
    return max(rated, key=lambda one: one[key]) if rated else metrics[-1]


def _evaluated(
    context: RunContext, name: str, rows: NDArray[np.int64], logits_of: LogitsOf
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return logits and metrics of some rows, of none too."""
    logits = logits_of(name, rows) if len(rows) else np.empty((0, len(context.classes)), np.float32)
    return logits, evaluation(logits, context.labels_of(rows), context.classes)
