"""Inference with the model of a run: its logits, and the facts of the training split."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray
from torch import nn

from diet_core.run_config import PlannedTraining
from diet_core.runs.fact_files import step_file
from diet_core.runs.facts import dynamics_table, features_table
from diet_core.runs.folder import write_table
from diet_core.training.gradients.norms import read_gradients
from diet_core.training.readout import read_out
from diet_core.worker.checkpoint import Arrays, Checkpoint, infer_in_chunks
from diet_core.worker.context import RunContext
from diet_core.worker.evaluations import LogitsOf
from diet_core.worker.progress import Phase

# After a kill at most a chunk is repeated: about 1,300 texts of 50 tokens.
BATCHES_PER_CHUNK = 32
Infer = Callable[[NDArray[np.int64]], Arrays]


def logits_function(context: RunContext, model: nn.Module, checkpoint: Checkpoint, step: int) -> LogitsOf:
    """Return what computes the logits of rows with the model as it is after a step."""

    def logits_of(name: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return infer_rows(
            context, rows, _logits(context, model), checkpoint, f"{name} at step {step}", "score"
        )["logits"]

    return logits_of


def record_facts(
    context: RunContext,
    training: PlannedTraining,
    model: nn.Module,
    new_parameters: Collection[str],
    checkpoint: Checkpoint,
    step: int,
) -> None:
    """Write what the model says of the training's rows at a step, unless that was done before."""
    file = step_file(context.folder, training.name, step)
    if file.exists():
        return
    rows = context.rows_to_record(training)
    ids = context.ids_of(rows)
    with_features = context.records_features(training, step)
    infer = _logits(context, model, with_features)
    facts = infer_rows(context, rows, infer, checkpoint, f"logits at step {step}", "score")
    norms = None
    if (
        context.config.grand != "classifier" and not training.is_fold
    ):  # no score out of fold is made of gradients
        gradients = _gradients(context, model, new_parameters)
        norms = infer_rows(context, rows, gradients, checkpoint, f"gradients at step {step}", "gradients")
    if with_features:
        write_table(file.with_name("features.parquet"), features_table(ids, facts["features"]))
    write_table(file, dynamics_table(ids, facts["logits"], facts["feature_norm"], norms))


def infer_rows(
    context: RunContext, rows: NDArray[np.int64], infer: Infer, checkpoint: Checkpoint, key: str, phase: Phase
) -> Arrays:
    """Compute outputs of rows in chunks, counted as a phase of the run."""
    context.progress.begin(phase)
    tokens = BATCHES_PER_CHUNK * context.settings.scoring_batch_tokens
    return infer_in_chunks(rows, context.encoded.lengths[rows], tokens, infer, checkpoint, key)


def _logits(context: RunContext, model: nn.Module, with_features: bool = False) -> Infer:
    def infer(rows: NDArray[np.int64]) -> Arrays:
        out = read_out(
            model,
            context.encoded.take(rows),
            tokens=context.settings.scoring_batch_tokens,
            with_features=with_features,
            on_batch=counter(context),
        )
        features = {} if out.features is None else {"features": out.features}
        return {"logits": out.logits, "feature_norm": out.feature_norm, **features}

    return infer


def _gradients(context: RunContext, model: nn.Module, new_parameters: Collection[str]) -> Infer:
    logged: set[str] = set()

    def infer(rows: NDArray[np.int64]) -> Arrays:
        out = read_gradients(
            model,
            context.encoded.take(rows),
            context.labels_of(rows),
            scope=context.config.grand,
            new_parameters=new_parameters,
            tokens=context.settings.scoring_batch_tokens,
            on_batch=counter(context),
        )
        if out.loop_reason and out.loop_reason not in logged:
            logged.add(out.loop_reason)
            context.log(out.loop_reason)
        return {name: values.astype(np.float32) for name, values in out.norms.items()}

    return infer


def counter(context: RunContext) -> Callable[[int], None]:
    """Return what counts a batch of so many examples, and raises if the run shall stop."""

    def count(n_examples: int) -> None:
        context.progress.advance(n_examples)
        context.check()

    return count
