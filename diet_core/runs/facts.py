"""Facts of a run: what the worker writes and everybody reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from diet_core.errors import NotFoundError, RunStateError
from diet_core.run_config import FOLD, RunConfig
from diet_core.runs.fact_files import (
    GROUP_COLUMNS,
    finished_trainings,
    read_out_of_fold,
    read_steps,
    read_table,
)
from diet_core.runs.folder import RunFolder
from diet_core.scoring.dynamics import label_probs, margins
from diet_core.scoring.el2n import Floats, error_norms
from diet_core.scoring.steps import is_reliable

# Numbers that a core works on at once: float64 copies of all logits of many steps would not fit into memory.
_CHUNK: Final = 1_000_000


@dataclass(frozen=True)
class Measures:
    """Of each seed, step and example; all arrays have the shape (n_seeds, n_steps, n_examples).

    Attributes:
        el2n: The length of the error vector.
        label_prob: The probability of the given label.
        margin: The given label's logit less the largest other one.
        predicted: The class of the largest logit.
    """

    el2n: Floats
    label_prob: Floats
    margin: Floats
    predicted: NDArray[np.int16]


@dataclass(frozen=True)
class Facts:
    """The logits of a scoring run.

    Attributes:
        examples: The training examples of the snapshot, in its order.
        classes: Class names.
        labels: Class numbers, shape (n_examples,).
        seeds: One per run.
        steps: The recorded steps, the same for each seed.
        logits: float32, shape (n_seeds, n_steps, n_examples, n_classes).
        feature_norm: float32, shape (n_seeds, n_steps, n_examples).
        has_bias: Whether the classifier has a bias.
        epoch_steps: Optimizer steps of one epoch.
        grand: The scope of GraNd, one of `tables.GRAND_SCOPES`.
        grad_norm: The gradient's length within the scope, float32, shape (n_seeds, n_steps, n_examples);
            None for the scope `classifier`, whose closed form needs logits and feature norms only.
        oof_logits: Of models that did not train on the example, float32, shape (n_whole_seeds, n_examples,
            n_classes), of the seeds whose folds are all finished; None without such a seed.
        grad_norm_groups: The same of a group's parameters alone, by the names of `tables.GRADIENT_GROUPS`
            that the scope reaches into; NaN where it was not computed.
    """

    examples: pd.DataFrame
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    logits: NDArray[np.float32]
    feature_norm: NDArray[np.float32]
    has_bias: bool
    epoch_steps: int = 1
    grand: str = "classifier"
    grad_norm: NDArray[np.float32] | None = None
    oof_logits: NDArray[np.float32] | None = None
    grad_norm_groups: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @cached_property
    def measures(self) -> Measures:
        """What follows from the logits of every seed, step and example."""
        return _measures(self)


def _measures(facts: Facts) -> Measures:
    """Return the measures of all facts: worked out in parts, on all cores."""
    shape = facts.logits.shape[:3]
    result = Measures(np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape, np.int16))

    def fill(rows: slice) -> None:
        logits, labels = facts.logits[:, :, rows], facts.labels[rows]
        flat = logits.reshape(-1, *logits.shape[2:])
        result.el2n[:, :, rows] = error_norms(flat, labels).reshape(logits.shape[:3])
        result.label_prob[:, :, rows] = label_probs(logits, labels)
        result.margin[:, :, rows] = margins(logits, labels)
        result.predicted[:, :, rows] = logits.argmax(axis=-1)

    n = shape[2]
    size = max(1, _CHUNK * n // max(facts.logits.size, 1))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(fill, [slice(start, start + size) for start in range(0, n, size)]))
    return result


def dynamics_table(
    example_ids: Sequence[str],
    logits: NDArray[np.float32],
    feature_norm: NDArray[np.float32],
    grad_norms: Mapping[str, NDArray[np.float32]] | None = None,
) -> pa.Table:
    """Return one checkpoint's facts as a table of `tables.DYNAMICS_COLUMNS`.

    Args:
        example_ids: One per row.
        logits: float32, shape (n_examples, n_classes).
        feature_norm: float32, shape (n_examples,).
        grad_norms: By column, float32, shape (n_examples,): `grad_norm`, and `grad_norm_embeddings`,
            `grad_norm_encoder` and `grad_norm_head` where there are such parameters in the scope; each
            becomes a column. None: `grad_norm` is null.
    """
    norms = grad_norms or {}
    columns = {
        "example_id": pa.array(example_ids, pa.string()),
        "logits": pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), logits.shape[1]),
        "feature_norm": pa.array(feature_norm),
        "grad_norm": pa.nulls(len(logits), pa.float32()),
    }
    for name in ("grad_norm", *GROUP_COLUMNS):
        if name in norms:
            # NaN is what was not computed; Parquet has null for that.
            columns[name] = pa.array(norms[name], pa.float32(), from_pandas=True)
    return pa.table(columns)


def features_table(example_ids: Sequence[str], features: NDArray[np.float16]) -> pa.Table:
    """Return the classifier's inputs, float16, one row per example."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), features.shape[1])
    return pa.table({"example_id": pa.array(example_ids, pa.string()), "features": vectors})


def read_snapshot(folder: RunFolder) -> pd.DataFrame:
    """Return all examples of the snapshot, columns as `tables.EXAMPLE_COLUMNS`.

    Raises:
        RunStateError: If it cannot be read.
    """
    frame: pd.DataFrame = read_table(folder, folder.examples_file).to_pandas()
    return frame


def finished_seeds(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """Return the results of the finished trainings on all training examples: those of folds are left out.

    Raises:
        RunStateError: If one cannot be read.
    """
    return _without_folds(finished_trainings(folder))


def _without_folds(results: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: result for name, result in results.items() if result.get("arm") != FOLD}


def read_facts(
    folder: RunFolder, *, last_step_only: bool = False, snapshot: pd.DataFrame | None = None
) -> Facts:
    """Return the facts of the finished seeds.

    Args:
        folder: Of a scoring run.
        last_step_only: Leave out all other steps and the folds.
        snapshot: From `read_snapshot`, where it was read already.

    Raises:
        RunStateError: If it is no scoring run, no seed is finished, or a file cannot be read.
    """
    config = folder.config()
    if config.kind != "score":
        raise RunStateError(f"{folder.run_id} is a {config.kind} run and has no scores. Give a score run.")
    finished = finished_trainings(folder)
    results = _without_folds(finished)
    if not results:
        raise RunStateError(
            f"No seed of {folder.run_id} is finished yet. "
            f"Wait for it, or go on with: score --resume {folder.run_id}"
        )
    snapshot = read_snapshot(folder) if snapshot is None else snapshot
    examples = snapshot[snapshot["split"] == "train"].reset_index(drop=True)
    classes = config.dataset.classes
    steps = tuple(next(iter(results.values()))["steps"])[-1 if last_step_only else 0 :]
    oof = None if last_step_only else read_out_of_fold(folder, finished, examples["example_id"], len(classes))
    arrays = read_steps(folder, list(results), steps, examples["example_id"], len(classes), config.grand)
    return Facts(
        examples=examples,
        classes=classes,
        labels=class_numbers(examples["label"], classes),
        seeds=tuple(result["seed"] for result in results.values()),
        steps=steps,
        logits=arrays.pop("logits"),
        feature_norm=arrays.pop("feature_norm"),
        has_bias=all(result["has_bias"] for result in results.values()),
        epoch_steps=_epoch_steps(config, steps),
        grand=config.grand,
        grad_norm=arrays.pop("grad_norm", None),
        oof_logits=oof,
        grad_norm_groups={name.removeprefix("grad_norm_"): norms for name, norms in arrays.items()},
    )


def step_lines(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the score steps of a scoring run as dicts: step, epoch (epochs done) and reliable.

    Those that the finished seeds recorded; while none is finished, the planned ones.

    Raises:
        RunStateError: If a file cannot be read.
    """
    config = folder.config()
    finished = next(iter(finished_seeds(folder).values()), {})
    steps = finished.get("steps", config.score_steps)
    if not steps:
        return []
    epoch_steps = _epoch_steps(config, steps)
    return [
        {"step": step, "epoch": step / epoch_steps, "reliable": is_reliable(step, epoch_steps)}
        for step in steps
    ]


def _epoch_steps(config: RunConfig, steps: Sequence[int]) -> int:
    """Return the steps of an epoch; runs that do not state them have recorded their last step only."""
    return config.epoch_steps or steps[-1] // config.settings.epochs


def at_step(facts: Facts, step: int | None) -> int:
    """Return the position of `step` among the recorded ones; None means the last.

    Raises:
        NotFoundError: If the step was not recorded.
    """
    if step is None:
        return len(facts.steps) - 1
    if step not in facts.steps:
        there = ", ".join(map(str, facts.steps))
        raise NotFoundError(f"Step {step} was not recorded (there is: {there}). Choose one of these.")
    return facts.steps.index(step)


def class_numbers(labels: pd.Series, classes: Sequence[str]) -> NDArray[np.int64]:
    """Return each label's position among the classes, shape (n_examples,)."""
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)), dtype=np.int64)
