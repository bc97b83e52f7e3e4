"""The trainings of a run with a frozen encoder: the texts are embedded once, then a head per training."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
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
from diet_core.worker.inference import counter, infer_rows

Train = Callable[[PlannedTraining], dict[str, Any]]
_KEY = "embeddings"
_Features = NDArray[np.float32]


def head_trainer(context: RunContext) -> Train:
    """Return what trains a head, writes its facts and its result, and returns the latter.

    The texts are embedded with the first training, whose time includes that. A head takes seconds, so a
    stopped training starts again; embeddings are kept until the run is done.
    """

    @cache
    def features() -> _Features:
        return _embeddings(context)

    def train(training: PlannedTraining) -> dict[str, Any]:
        result = _trained(context, training, features)
        write_json(context.folder.result_file(training.name), result)
        return result

    return train


def forget_embeddings(context: RunContext) -> None:
    """Delete the embeddings that a resumed run would have gone on from."""
    _checkpoint(context).remove()


def _checkpoint(context: RunContext) -> Checkpoint:
    config = context.config
    return Checkpoint(context.folder, config.trainings[0].name, config.checkpoint_seconds)


def _embeddings(context: RunContext) -> _Features:
    """Return the embeddings of every row of the snapshot, shape (n_examples, width)."""
    checkpoint = _checkpoint(context)
    model, _ = context.model(seed=0)
    check_reads_alone(model, context.encoded)

    def infer(rows: NDArray[np.int64]) -> Arrays:
        tokens = context.settings.scoring_batch_tokens
        return {_KEY: embed(model, context.encoded.take(rows), tokens=tokens, on_batch=counter(context))}

    rows = np.arange(len(context.examples))
    arrays = infer_rows(context, rows, infer, checkpoint, _KEY, "score")
    checkpoint.write_partial(_KEY, len(rows), arrays)  # a chunk has a row at least: all are done
    context.progress.examples["score"] = context.progress.done["score"]
    return arrays[_KEY]


def _trained(
    context: RunContext, training: PlannedTraining, embeddings: Callable[[], _Features]
) -> dict[str, Any]:
    """Train a head, record its facts at the score steps and evaluate it; return the result."""
    started, before = time.monotonic(), dict(context.progress.seconds)
    context.progress.training, context.progress.seed = training.name, training.seed
    features = embeddings()
    rows, labels = context.training_rows(training)
    evaluations = Evaluations(context, training, len(rows))
    score_steps = context.steps_to_record(training)

    def on_step(step: int, head: Head) -> None:
        if step:
            context.progress.advance(min(context.settings.batch_size, len(rows)), steps=1)
        context.check()
        if step in score_steps:
            _record(context, training, features, step, head)
        if evaluations.is_due(step):
            evaluations.add(step, lambda _name, rows: head_logits(head, features[rows])[0])

    context.progress.begin("train")
    fit_head(
        features[rows],
        labels,
        len(context.classes),
        config=context.settings,
        seed=training.seed,
        device=context.config.environment.device,
        total_steps=context.total_steps(training),
        on_step=on_step,
    )
    phases = {phase: value - before[phase] for phase, value in context.progress.seconds.items()}
    return evaluations.training_result(phases, time.monotonic() - started, has_bias=True)


def _record(
    context: RunContext, training: PlannedTraining, features: _Features, step: int, head: Head
) -> None:
    """Write what the head says of the training's rows at a step."""
    file = step_file(context.folder, training.name, step)
    rows = context.rows_to_record(training)
    ids = context.ids_of(rows)
    logits, norms = head_logits(head, features[rows])
    if context.records_features(training, step):
        inputs = head.inputs(features[rows]).half().cpu().numpy()
        write_table(file.with_name("features.parquet"), features_table(ids, inputs))
    write_table(file, dynamics_table(ids, logits, norms))
