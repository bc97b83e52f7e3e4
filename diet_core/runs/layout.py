"""Laying out a run folder: what to train on which examples, with everything resolved."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from diet_core.config import RUN_ID, TrainingConfig, Workspace
from diet_core.dataset import DatasetInfo
from diet_core.encoders import FROZEN
from diet_core.errors import DataError, SettingError
from diet_core.run_config import PlannedTraining, RunConfig
from diet_core.runs.folder import RunFolder, now, write_json, write_table
from diet_core.runs.record import RunStatus, status_to_json
from diet_core.tables import EXAMPLE_COLUMNS

# A pair of texts takes up to four special tokens (RoBERTa's); fewer than these leave no words to learn from.
MIN_LENGTH = 8


def new_run_id(dataset: str) -> str:
    """Return an id that no other run has: data set, UTC time, four random hex digits."""
    run_id = f"{dataset}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    assert RUN_ID.match(run_id), run_id
    return run_id


def lay_out(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    trainings: Mapping[PlannedTraining, pd.DataFrame | None],
    settings: TrainingConfig,
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
        trainings: The trainings, in order, each with the examples that it trains on (columns example_id and
            label); None = all of the snapshot's.
        settings: Of every training; what they leave open is resolved here and written down.
        kind: score or retrain.
        more: Further fields of `RunConfig`.
        heldout: Training examples that choose the epoch (columns example_id and label).

    Raises:
        ModelError: If the model cannot be loaded.
        SettingError: If the device is not there, the texts cannot be trained on, or a training of a frozen
            encoder's head is to be pruned dynamically.
        DataError: If there are too few examples.
    """
    check_examples(info, examples)
    _check_can_prune(settings, trainings)
    folder = RunFolder(workspace.runs / new_run_id(info.name))
    config = RunConfig(
        run_id=folder.run_id,
        kind=kind,
        created_at=now(),
        dataset=info,
        trainings=tuple(trainings),
        **_resolved(settings),
        **more,
    )
    draft = RunFolder(folder.path.with_name(f".{folder.run_id}"))
    draft.path.mkdir(parents=True)
    try:
        _write_training_examples(draft, trainings)
        if heldout is not None:
            _write_ids(draft.heldout_file, heldout)
        _write_snapshot(draft, examples)
        write_json(draft.status_file, status_to_json(RunStatus("queued", heartbeat=now())))
        draft.write_config(config)
        draft.path.rename(folder.path)
    except BaseException:
        shutil.rmtree(draft.path, ignore_errors=True)
        raise
    return folder


def _resolved(settings: TrainingConfig) -> dict[str, Any]:
    """Return settings, model and environment with nothing left open."""
    # torch takes two seconds to import: only those who start a run wait for it.
    from diet_core.training import devices, models
    from diet_core.training.frozen import LR_HEAD

    if settings.max_length < MIN_LENGTH:
        raise SettingError(f"max-length is {settings.max_length}. Give at least {MIN_LENGTH} tokens.")
    source = models.find_model(settings.model)
    if settings.max_length > source.max_length:
        raise SettingError(
            f"max-length is {settings.max_length}, but {settings.model} takes {source.max_length} tokens "
            "at most. Lower --max-length."
        )
    is_frozen = settings.encoder == FROZEN
    lr = settings.lr or (LR_HEAD if is_frozen else source.lr)
    precision = "float32" if is_frozen else settings.precision  # a head has nothing to gain from bf16
    return {
        "settings": dataclasses.replace(settings, lr=lr),
        "model": source,
        "environment": devices.resolve(dataclasses.replace(settings, precision=precision)),
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


def _check_can_prune(settings: TrainingConfig, trainings: Iterable[PlannedTraining]) -> None:
    if settings.encoder == FROZEN and any(training.dynamic for training in trainings):
        raise SettingError(
            "Dynamic pruning saves passes of fine-tuning, but the encoder of this run is frozen and its "
            "heads train in seconds. Prune it statically, or prune a run with a tuned encoder."
        )


def _write_training_examples(
    draft: RunFolder, trainings: Mapping[PlannedTraining, pd.DataFrame | None]
) -> None:
    for training, examples in trainings.items():
        draft.training_folder(training.name).mkdir()
        if examples is not None:
            _write_ids(draft.training_examples_file(training.name), examples)


def _write_ids(path: Path, examples: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(examples[["example_id", "label"]], preserve_index=False)
    write_table(path, table.replace_schema_metadata(None))


def _write_snapshot(draft: RunFolder, examples: pd.DataFrame) -> None:
    schema = pa.schema(
        [(name, pa.int64() if name == "source_row" else pa.string()) for name in EXAMPLE_COLUMNS]
    )
    table = pa.Table.from_pandas(examples[list(EXAMPLE_COLUMNS)], schema=schema, preserve_index=False)
    write_table(draft.examples_file, table.replace_schema_metadata(None))
