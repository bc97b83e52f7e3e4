"""The trainings of a run with a frozen encoder: the texts are embedded once, then a head per training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diet_core.run_config import PlannedTraining
from diet_core.runs.fact_files import step_file
from diet_core.runs.facts import dynamics_table, features_table
from diet_core.runs.folder import write_json, write_table
from diet_core.training.frozen import Head, embed, fit_head, head_logits
from diet_core.training.readout import check_reads_alone
from diet_core.worker.checkpoint import Arrays, Checkpoint
from diet_core.worker.context import RunContext
from diet_core.worker.evaluations import Evaluations
from diet_core.worker.inference import read_rows, teller

Train = Callable[[PlannedTraining], dict[str, Any]]
_KEY = "embeddings"


def head_trainer(context: RunContext) -> Train:
    """Return what trains a head, writes its facts and its result, and returns the latter.

    The texts are embedded with the first training, whose time includes that. A head takes seconds, so a
    stopped training starts again; embeddings are kept until the run is done.
    """
    embedded = _Embedded(context)

    def train(training: PlannedTraining) -> dict[str, Any]:
        result = _HeadTraining(context, training, embedded).run()
        write_json(context.folder.result_file(training.name), result)
        return result

    return train


def forget_embeddings(context: RunContext) -> None:
    """Delete the embeddings that a resumed run would have gone on from."""
    _checkpoint(context).remove()


def _checkpoint(context: RunContext) -> Checkpoint:
    config = context.config
    return Checkpoint(context.folder, config.trainings[0].name, config.checkpoint_seconds)


@dataclass(frozen=True)
class _Embedded:
    """The embeddings of a run's texts, made when they are first asked for."""

    context: RunContext

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """Of every row of the snapshot, shape (n_examples, width)."""
        context, checkpoint = self.context, _checkpoint(self.context)
        model, _ = context.model(seed=0)
        check_reads_alone(model, context.encoded)

        def read(rows: NDArray[np.int64]) -> Arrays:
            tokens = context.settings.scoring_batch_tokens
            return {_KEY: embed(model, context.encoded.take(rows), tokens=tokens, on_batch=teller(context))}

        rows = np.arange(len(context.examples))
        arrays = read_rows(context, rows, read, checkpoint, _KEY, "score")
        checkpoint.write_reading(_KEY, len(rows), arrays)  # a chunk has a row at least: all are done
        context.progress.examples["score"] = context.progress.done["score"]
        return arrays[_KEY]


@dataclass
class _HeadTraining:
    """One head: trained, recorded at the score steps, evaluated at the steps of its curve."""

    context: RunContext
    training: PlannedTraining
    embedded: _Embedded

    def run(self) -> dict[str, Any]:
        """Train, and return the training's result."""
        context, training, started = self.context, self.training, time.monotonic()
        before = dict(context.progress.seconds)
        context.progress.training, context.progress.seed = training.name, training.seed
        features = self.embedded.features
        context.progress.begin("train")
        fit_head(
            features[self._rows],
            self._examples[1],
            len(context.classes),
            config=context.settings,
            seed=training.seed,
            device=context.config.environment.device,
            total_steps=context.total_steps(training),
            on_step=self._on_step,
        )
        seconds = {phase: value - before[phase] for phase, value in context.progress.seconds.items()}
        return {
            **training.to_json(),
            **self._evaluations.result(),
            **self._facts(),
            "seconds": {
                "train": seconds["train"],
                "score": seconds["score"],
                "total": time.monotonic() - started,
            },
        }

    @cached_property
    def _examples(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.context.training_rows(self.training)

    @property
    def _rows(self) -> NDArray[np.int64]:
        return self._examples[0]

    @cached_property
    def _evaluations(self) -> Evaluations:
        return Evaluations(self.context, self.training, len(self._rows))

    def _facts(self) -> dict[str, Any]:
        """Return what readers of the facts need; without facts, how many steps were taken."""
        if not self._steps:
            return {"steps": self.context.total_steps(self.training)}
        return {"steps": self._steps, "has_bias": True}

    @cached_property
    def _steps(self) -> list[int]:
        return self.context.steps_to_record(self.training)

    def _on_step(self, step: int, head: Head) -> None:
        if step:
            batch = min(self.context.settings.batch_size, len(self._rows))
            self.context.progress.advance(batch, steps=1)
        self.context.check()
        if step in self._steps:
            self._record(step, head)
        if self._evaluations.is_due(step):
            self._evaluations.add(
                step, lambda _name, rows: head_logits(head, self.embedded.features[rows])[0]
            )

    def _record(self, step: int, head: Head) -> None:
        """Write what the head says of the training's rows at a step."""
        context, training = self.context, self.training
        file = step_file(context.folder, training.name, step)
        rows = context.rows_to_record(training)
        ids = context.ids_of(rows)
        features = self.embedded.features[rows]
        logits, norms = head_logits(head, features)
        if context.records_features(training, step):
            inputs = head.inputs(features).half().cpu().numpy()
            write_table(file.with_name("features.parquet"), features_table(ids, inputs))
        write_table(file, dynamics_table(ids, logits, norms))
