"""Laying out a run folder: what to train on which examples, with everything resolved."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from diet_core.config import RUN_ID, DynamicPruning, TrainingConfig, Workspace, to_json
from diet_core.dataset import DatasetInfo, Roles
from diet_core.encoders import FROZEN
from diet_core.errors import DataError, SettingError
from diet_core.runs.folder import RunFolder, now, write_json, write_table
from diet_core.tables import EXAMPLE_COLUMNS

FORMAT = 1
# A pair of texts takes up to four special tokens (RoBERTa's); fewer than these leave no words to learn from.
MIN_LENGTH = 8


@dataclass(frozen=True)
class Unit:
    """One training of a run.

    Attributes:
        name: Its folder's name.
        arm: `score`, or the arm of a retraining (selected, full, random).
        seed: Of the classifier's weights, the order of the data and dropout.
        train: The examples to train on (columns example_id and label); None = all of the snapshot's.
        dynamic: How it prunes these while it trains; None = it trains on all of them.
        total_steps: Its optimizer steps; None = as the run says.
    """

    name: str
    arm: str
    seed: int
    train: pd.DataFrame | None = None
    dynamic: DynamicPruning | None = None
    total_steps: int | None = None


def new_run_id(dataset: str) -> str:
    """Return an id that no other run has: data set, UTC time, four random hex digits."""
    run_id = f"{dataset}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    assert RUN_ID.match(run_id), run_id
    return run_id


def dataset_json(info: DatasetInfo) -> dict[str, Any]:
    """Return what is known of a data set as a dict that JSON can hold."""
    return dataclasses.asdict(info) | {"classes": list(info.classes)}


def dataset_from_json(content: dict[str, Any]) -> DatasetInfo:
    """Return what `dataset_json` wrote."""
    roles = Roles(**content["roles"])
    return DatasetInfo(**content | {"roles": roles, "classes": tuple(content["classes"])})


def lay_out(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    units: Sequence[Unit],
    training: TrainingConfig,
    *,
    kind: str,
    more: dict[str, Any],
    heldout: pd.DataFrame | None = None,
) -> RunFolder:
    """Make the folder of a new run, complete or not at all.

    Args:
        workspace: Where.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        units: The trainings, in order.
        training: Settings; what they leave open is resolved here and written down.
        kind: score or retrain.
        more: What else config.json holds.
        heldout: Training examples that choose the epoch (columns example_id and label).

    Raises:
        ModelError: If the model cannot be loaded.
        SettingError: If the device is not there, the texts cannot be trained on, or a training of a frozen
            encoder's head is to be pruned dynamically.
        DataError: If there are too few examples.
    """
    check_examples(info, examples)
    _check_can_prune(training, units)
    resolved = _resolved(training)
    folder = RunFolder(workspace.runs / new_run_id(info.name))
    draft = folder.path.with_name(f".{folder.run_id}")
    draft.mkdir(parents=True)
    try:
        _write_units(draft, units)
        if heldout is not None:
            _write_ids(draft / "heldout.parquet", heldout)
        _write_snapshot(draft, examples)
        write_json(draft / "status.json", {"state": "queued", "step": 0, "total": 0, "heartbeat": now()})
        content = {
            "format": FORMAT,
            "run_id": folder.run_id,
            "kind": kind,
            "created_at": now(),
            "dataset": dataset_json(info),
            **resolved,
            "units": [_unit_json(unit) for unit in units],
            **more,
        }
        write_json(draft / "config.json", content)
        draft.rename(folder.path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder


def _resolved(training: TrainingConfig) -> dict[str, Any]:
    """Return training settings, model and environment with nothing left open."""
    # torch takes two seconds to import: only those who start a run wait for it.
    from diet_core.training import devices, models
    from diet_core.training.frozen import LR_HEAD

    if training.max_length < MIN_LENGTH:
        raise SettingError(f"max-length is {training.max_length}. Give at least {MIN_LENGTH} tokens.")
    source = models.find_model(training.model)
    if training.max_length > source.max_length:
        raise SettingError(
            f"max-length is {training.max_length}, but {training.model} takes {source.max_length} tokens "
            "at most. Lower --max-length."
        )
    is_frozen = training.encoder == FROZEN
    lr = training.lr or (LR_HEAD if is_frozen else source.lr)
    precision = "float32" if is_frozen else training.precision  # a head has nothing to gain from bf16
    computed = dataclasses.replace(training, precision=precision)
    return {
        "training": to_json(dataclasses.replace(training, lr=lr)),
        "model": dataclasses.asdict(source),
        "environment": dataclasses.asdict(devices.resolve(computed)),
    }


def check_examples(info: DatasetInfo, examples: pd.DataFrame) -> None:
    """Check that a classifier can be trained on a data set.

    Raises:
        DataError: If the training split has fewer than two classes.
    """
    classes = examples.loc[examples["split"] == "train", "label"].nunique()
    if classes < 2:
        raise DataError(
            f"The training split of {info.name} has {classes} class(es). A classifier needs examples of two."
        )


def _check_can_prune(training: TrainingConfig, units: Sequence[Unit]) -> None:
    if training.encoder == FROZEN and any(unit.dynamic for unit in units):
        raise SettingError(
            "Dynamic pruning saves passes of fine-tuning, but the encoder of this run is frozen and its "
            "heads train in seconds. Prune it statically, or prune a run with a tuned encoder."
        )


def _unit_json(unit: Unit) -> dict[str, Any]:
    """Return what config.json says of a unit; what is not set is left out."""
    dynamic = None if unit.dynamic is None else to_json(unit.dynamic)
    more = {"dynamic": dynamic, "total_steps": unit.total_steps}
    said = {"name": unit.name, "arm": unit.arm, "seed": unit.seed}
    return said | {name: value for name, value in more.items() if value is not None}


def _write_units(draft: Path, units: Sequence[Unit]) -> None:
    for unit in units:
        folder = draft / unit.name
        folder.mkdir()
        if unit.train is not None:
            _write_ids(folder / "train.parquet", unit.train)


def _write_ids(path: Path, examples: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(examples[["example_id", "label"]], preserve_index=False)
    write_table(path, table.replace_schema_metadata(None))


def _write_snapshot(draft: Path, examples: pd.DataFrame) -> None:
    schema = pa.schema(
        [(name, pa.int64() if name == "source_row" else pa.string()) for name in EXAMPLE_COLUMNS]
    )
    table = pa.Table.from_pandas(examples[list(EXAMPLE_COLUMNS)], schema=schema, preserve_index=False)
    write_table(draft / "examples.parquet", table.replace_schema_metadata(None))
