"""Facts of a run: what the worker writes and everybody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diet_core.errors import NotFoundError, RunStateError
from diet_core.jobs.folder import RunFolder, unreadable
from diet_core.scoring.steps import is_reliable
from diet_core.tables import GRADIENT_GROUPS

STEP_DIGITS = 6
GROUP_COLUMNS = tuple(f"grad_norm_{group}" for group in GRADIENT_GROUPS)


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
    grad_norm_groups: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def step_file_name(step: int) -> str:
    """Return the file name of a checkpoint's facts."""
    return f"step-{step:0{STEP_DIGITS}d}.parquet"


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
    grand = config.get("grand", "classifier")
    arrays = _read_steps(folder, list(results), steps, examples["example_id"], len(classes), grand)
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
        grand=grand,
        grad_norm=arrays.pop("grad_norm", None),
        grad_norm_groups={name.removeprefix("grad_norm_"): norms for name, norms in arrays.items()},
    )


def step_lines(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the score steps of a scoring run as dicts: step, epoch (epochs done) and reliable.

    Those that the finished seeds recorded; while none is finished, the planned ones.

    Raises:
        RunStateError: If a file cannot be read.
    """
    config = folder.config()
    finished = next(iter(finished_units(folder).values()), config)
    steps = finished.get("steps", config.get("score_steps", []))
    if not steps:
        return []
    epoch_steps = _epoch_steps(config, steps)
    return [
        {"step": step, "epoch": step / epoch_steps, "reliable": is_reliable(step, epoch_steps)}
        for step in steps
    ]


def _epoch_steps(config: Mapping[str, Any], steps: Sequence[int]) -> int:
    """Return the steps of an epoch; runs that do not state them have recorded their last step only."""
    stated: int = config.get("epoch_steps") or steps[-1] // config["training"]["epochs"]
    return stated


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


def _read_steps(
    folder: RunFolder,
    units: Sequence[str],
    steps: Sequence[int],
    example_ids: pd.Series,
    n_classes: int,
    grand: str,
) -> dict[str, NDArray[np.float32]]:
    """Return the columns of all facts, each read into its place: shape (n_seeds, n_steps, n_examples, …)."""
    shape = (len(units), len(steps), len(example_ids))
    found: dict[str, NDArray[np.float32]] = {"logits": np.empty((*shape, n_classes), np.float32)}
    for i, unit in enumerate(units):
        for j, step in enumerate(steps):
            for name, values in _read_step(folder, unit, step, example_ids, grand).items():
                if name not in found:
                    found[name] = np.full(shape, np.nan, np.float32)
                found[name][i, j] = values
    return found


def _read_step(
    folder: RunFolder, unit: str, step: int, example_ids: pd.Series, grand: str
) -> dict[str, NDArray[np.float32]]:
    """Return one checkpoint's columns, put into the order of `example_ids`."""
    table = read_table(folder, folder.unit(unit) / step_file_name(step))
    order = pd.Index(table.column("example_id").to_pylist()).get_indexer(pd.Index(example_ids))
    if (order < 0).any():
        raise _lacking(folder, unit, step, "examples of the snapshot")
    logits = table.column("logits").combine_chunks()
    flat = logits.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
    columns = {"logits": flat[order], "feature_norm": table.column("feature_norm").to_numpy()[order]}
    if grand == "classifier":
        return columns
    if table.column("grad_norm").null_count:
        raise _lacking(folder, unit, step, "gradient norms")
    norms = [name for name in ("grad_norm", *GROUP_COLUMNS) if name in table.column_names]
    return columns | {name: table.column(name).to_numpy()[order] for name in norms}


def _lacking(folder: RunFolder, unit: str, step: int, what: str) -> RunStateError:
    return RunStateError(f"{unit}/{step_file_name(step)} of {folder.run_id} lacks {what}. Run it again.")
