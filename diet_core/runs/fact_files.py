"""The files of a run's facts, read into arrays in the order of its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diet_core.errors import RunStateError
from diet_core.runs.folder import RunFolder, unreadable
from diet_core.tables import GRADIENT_GROUPS

STEP_DIGITS: Final = 6
GROUP_COLUMNS: Final = tuple(f"grad_norm_{group}" for group in GRADIENT_GROUPS)


def predictions_file(folder: RunFolder, training: str) -> Path:
    """Return where a training of a retraining leaves what it predicts of the test split."""
    return folder.training_folder(training) / "test_predictions.parquet"


def test_predictions(folder: RunFolder, training: str) -> pd.DataFrame:
    """Return what a training predicts of the test split at the evaluation that counts.

    Args:
        folder: Of a retraining.
        training: The training's name.

    Returns:
        Columns example_id and predicted (class number, int16), in the order of the snapshot.

    Raises:
        RunStateError: If the file is missing (runs of older versions have none) or damaged.
    """
    predictions: pd.DataFrame = read_table(folder, predictions_file(folder, training)).to_pandas()
    return predictions


def step_file_name(step: int) -> str:
    """Return the file name of a checkpoint's facts."""
    return f"step-{step:0{STEP_DIGITS}d}.parquet"


def step_file(folder: RunFolder, training: str, step: int) -> Path:
    """Return where a training leaves its facts of a step."""
    return folder.training_folder(training) / step_file_name(step)


def read_table(folder: RunFolder, path: Path) -> pa.Table:
    """Return a Parquet file of the run.

    Raises:
        RunStateError: If it is missing or damaged.
    """
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, folder, error) from error


def finished_trainings(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """Return the results of the finished trainings by name, in the planned order.

    Raises:
        RunStateError: If one cannot be read.
    """
    names = [training.name for training in folder.config().trainings]
    return {name: folder.result(name) for name in names if folder.result_file(name).exists()}


def read_steps(
    folder: RunFolder,
    trainings: Sequence[str],
    steps: Sequence[int],
    example_ids: pd.Series,
    n_classes: int,
    grand: str,
) -> dict[str, NDArray[np.float32]]:
    """Return the columns of all facts, each read into its place: shape (n_seeds, n_steps, n_examples, …)."""
    shape = (len(trainings), len(steps), len(example_ids))
    columns: dict[str, NDArray[np.float32]] = {"logits": np.empty((*shape, n_classes), np.float32)}
    ids = pa.chunked_array([pa.array(example_ids, pa.string())])
    for i, training in enumerate(trainings):
        for j, step in enumerate(steps):
            for name, values in _read_step(folder, training, step, ids, grand).items():
                if name not in columns:
                    columns[name] = np.full(shape, np.nan, np.float32)
                columns[name][i, j] = values
    return columns


def _read_step(
    folder: RunFolder, training: str, step: int, example_ids: pa.ChunkedArray, grand: str
) -> dict[str, NDArray[np.float32]]:
    """Return one checkpoint's columns, put into the order of `example_ids`."""
    table = read_table(folder, step_file(folder, training, step))
    # Mostly they are in that order: to look a million ids up takes as long as to read the file.
    if not table.column("example_id").equals(example_ids):
        order = pc.index_in(example_ids, value_set=table.column("example_id"))
        if order.null_count:
            raise _lacking(folder, training, step, "examples of the snapshot")
        table = table.take(order)
    columns = {"logits": _logits_of(table), "feature_norm": table.column("feature_norm").to_numpy()}
    if grand == "classifier":
        return columns
    if table.column("grad_norm").null_count:
        raise _lacking(folder, training, step, "gradient norms")
    norms = [name for name in ("grad_norm", *GROUP_COLUMNS) if name in table.column_names]
    return columns | {name: table.column(name).to_numpy() for name in norms}


def _logits_of(table: pa.Table) -> NDArray[np.float32]:
    logits = table.column("logits").combine_chunks()
    flat: NDArray[np.float32] = logits.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(table), -1)


def read_out_of_fold(
    folder: RunFolder, finished: Mapping[str, Mapping[str, Any]], example_ids: pd.Series, n_classes: int
) -> NDArray[np.float32] | None:
    """Return the logits that folds read out, of the seeds whose folds are all finished; None without any.

    Args:
        folder: Of a scoring run.
        finished: From `finished_trainings`.
        example_ids: All training examples.
        n_classes: Number of classes.

    Returns:
        float32, shape (n_whole_seeds, n_examples, n_classes), examples in the order of their ids.

    Raises:
        RunStateError: If a file cannot be read or lacks an example.
    """
    whole = [names for names in _folds_by_seed(folder) if all(name in finished for name in names)]
    place = pd.Index(example_ids)
    oof_logits = np.full((len(whole), len(place), n_classes), np.nan, np.float32)
    for logits, names in zip(oof_logits, whole, strict=True):
        for name in names:
            table = read_table(folder, step_file(folder, name, finished[name]["steps"][-1]))
            logits[place.get_indexer(pd.Index(table.column("example_id").to_pylist()))] = _logits_of(table)
        if np.isnan(logits).any():
            raise _lacking(folder, names[-1], finished[names[-1]]["steps"][-1], "examples of its folds")
    return oof_logits if whole else None


def _folds_by_seed(folder: RunFolder) -> list[list[str]]:
    """Return the names of the fold trainings of each seed."""
    folds: dict[int, list[str]] = {}
    for training in folder.config().trainings:
        if training.is_fold:
            folds.setdefault(training.seed, []).append(training.name)
    return list(folds.values())


def _lacking(folder: RunFolder, training: str, step: int, what: str) -> RunStateError:
    return RunStateError(f"{training}/{step_file_name(step)} of {folder.run_id} lacks {what}. Run it again.")
