"""Facts of a run: what the worker writes and everybody reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diet_core.errors import NotFoundError, RunStateError
from diet_core.jobs.folder import RunFolder, unreadable

STEP_DIGITS = 6


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
    """

    examples: pd.DataFrame
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    logits: NDArray[np.float32]
    feature_norm: NDArray[np.float32]
    has_bias: bool


def step_file_name(step: int) -> str:
    """Return the file name of a checkpoint's facts."""
    return f"step-{step:0{STEP_DIGITS}d}.parquet"


def dynamics_table(
    example_ids: Sequence[str], logits: NDArray[np.float32], feature_norm: NDArray[np.float32]
) -> pa.Table:
    """Return one checkpoint's facts as a table of `tables.DYNAMICS_COLUMNS`.

    Args:
        example_ids: One per row.
        logits: float32, shape (n_examples, n_classes).
        feature_norm: float32, shape (n_examples,).
    """
    return pa.table(
        {
            "example_id": pa.array(example_ids, pa.string()),
            "logits": pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), logits.shape[1]),
            "feature_norm": pa.array(feature_norm),
            "grad_norm": pa.nulls(len(logits), pa.float32()),
        }
    )


def features_table(example_ids: Sequence[str], features: NDArray[np.float16]) -> pa.Table:
    """Return the classifier's inputs, float16, one row per example."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), features.shape[1])
    return pa.table({"example_id": pa.array(example_ids, pa.string()), "features": vectors})


def read_table(folder: RunFolder, path: Path) -> pa.Table:
    """Return a Parquet file of the run.

    Raises:
        RunStateError: If it is missing or damaged.
    """
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, folder, error) from error


def read_snapshot(folder: RunFolder) -> pd.DataFrame:
    """Return all examples of the snapshot, columns as `tables.EXAMPLE_COLUMNS`.

    Raises:
        RunStateError: If it cannot be read.
    """
    frame: pd.DataFrame = read_table(folder, folder.examples_file).to_pandas()
    return frame


def finished_units(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """Return the results of the finished trainings by name, in the planned order.

    Raises:
        RunStateError: If one cannot be read.
    """
    names = [unit["name"] for unit in folder.config()["units"]]
    return {name: folder.result(name) for name in names if folder.result_file(name).exists()}


def read_facts(folder: RunFolder) -> Facts:
    """Return the facts of the finished seeds.

    Raises:
        RunStateError: If it is no scoring run, no seed is finished, or a file cannot be read.
    """
    config = folder.config()
    if config["kind"] != "score":
        raise RunStateError(f"{folder.run_id} is a {config['kind']} run and has no scores. Give a score run.")
    results = finished_units(folder)
    if not results:
        raise RunStateError(
            f"No seed of {folder.run_id} is finished yet. "
            f"Wait for it, or go on with: score --resume {folder.run_id}"
        )
    snapshot = read_snapshot(folder)
    examples = snapshot[snapshot["split"] == "train"].reset_index(drop=True)
    classes = tuple(config["dataset"]["classes"])
    steps = tuple(next(iter(results.values()))["steps"])
    read = [[_read_step(folder, name, step, examples["example_id"]) for step in steps] for name in results]
    return Facts(
        examples=examples,
        classes=classes,
        labels=class_numbers(examples["label"], classes),
        seeds=tuple(result["seed"] for result in results.values()),
        steps=steps,
        logits=np.array([[logits for logits, _ in of_seed] for of_seed in read]),
        feature_norm=np.array([[norm for _, norm in of_seed] for of_seed in read]),
        has_bias=all(result["has_bias"] for result in results.values()),
    )


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


def _read_step(
    folder: RunFolder, unit: str, step: int, example_ids: pd.Series
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return logits and feature norms, put into the order of `example_ids`."""
    table = read_table(folder, folder.unit(unit) / step_file_name(step))
    order = pd.Index(table.column("example_id").to_pylist()).get_indexer(pd.Index(example_ids))
    if (order < 0).any():
        raise RunStateError(
            f"{unit}/{step_file_name(step)} of {folder.run_id} lacks examples of the snapshot. Run it again."
        )
    logits = table.column("logits").combine_chunks()
    flat = logits.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
    return flat[order], table.column("feature_norm").to_numpy()[order]
