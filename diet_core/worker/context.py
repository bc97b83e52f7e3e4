"""What all trainings of one run share: settings, snapshot, tokens, progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from torch import nn

from diet_core.config import DynamicPruning, TrainingConfig
from diet_core.runs.fact_files import FOLD
from diet_core.runs.facts import class_numbers, read_snapshot
from diet_core.runs.folder import RunFolder
from diet_core.training import devices, models
from diet_core.training.batches import Encoded, encode
from diet_core.training.dynamic import DynamicSelection
from diet_core.training.loop import steps_of
from diet_core.worker.progress import Progress


@dataclass(frozen=True)
class Workshop:
    """All that the trainings of one run share.

    Attributes:
        folder: Of the run.
        config: What config.json holds.
        training: The settings.
        examples: The snapshot, its row numbers as index.
        encoded: The tokens of every row of the snapshot.
        tokenizer: The model's, to be saved beside kept weights.
        progress: Where the run stands.
        check: Raises if the run shall stop.
        log: Takes lines for the run's log.
    """

    folder: RunFolder
    config: dict[str, Any]
    training: TrainingConfig
    examples: pd.DataFrame
    encoded: Encoded
    tokenizer: Any
    progress: Progress
    check: Callable[[], None]
    log: Callable[[str], None]

    @property
    def classes(self) -> list[str]:
        """The class names in order."""
        return list(self.config["dataset"]["classes"])

    @property
    def score_steps(self) -> list[int]:
        """The steps at which a scoring run records its facts, the last one always; none for other runs."""
        if self.config["kind"] != "score":
            return []
        return list(self.config.get("score_steps") or [steps_of(len(self.rows_of("train")), self.training)])

    def total_steps(self, unit: Mapping[str, Any]) -> int:
        """Return the optimizer steps of a unit: its own, the run's for all, or those of its epochs."""
        planned = unit.get("total_steps") or self.config.get("total_steps")
        return int(planned or steps_of(len(self.training_rows(unit["name"])[0]), self.training))

    def dynamic(self, unit: Mapping[str, Any]) -> DynamicSelection | None:
        """Return what chooses the examples of a dynamically pruned unit, of others None."""
        if "dynamic" not in unit:
            return None
        rows, labels = self.training_rows(unit["name"])
        return DynamicSelection(
            DynamicPruning(**unit["dynamic"]),
            self.examples["example_id"].iloc[rows].tolist(),
            labels,
            self.total_steps(unit),
            self.training.batch_size,
        )

    def steps_to_record(self, unit: Mapping[str, Any]) -> list[int]:
        """Return the steps at which a unit records facts: a fold at its own last step only."""
        if unit["arm"] != FOLD:
            return self.score_steps
        return [steps_of(len(self.training_rows(unit["name"])[0]), self.training)]

    def rows_to_record(self, unit: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the row numbers that a unit's facts are of: of a fold, what it does not train on."""
        rows = self.rows_of("train")
        if unit["arm"] != FOLD:
            return rows
        return rows[~np.isin(rows, self.training_rows(unit["name"])[0])]

    @property
    def grand(self) -> str:
        """The scope of GraNd."""
        return str(self.config.get("grand", "classifier"))

    def rows_of(self, split: str) -> NDArray[np.int64]:
        """Return the row numbers of a split."""
        return np.flatnonzero((self.examples["split"] == split).to_numpy())

    def labels_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class numbers of rows of the snapshot."""
        return class_numbers(self.examples["label"].iloc[rows], self.classes)

    def rows_by_id(self, example_ids: pd.Series) -> NDArray[np.int64]:
        """Return the row numbers of examples."""
        rows = pd.Index(self.examples["example_id"]).get_indexer(pd.Index(example_ids))
        return np.asarray(rows, dtype=np.int64)

    def training_rows(self, unit: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row numbers that a unit trains on, and their class numbers."""
        own = self.folder.unit(unit) / "train.parquet"
        if not own.exists():
            rows = self.rows_of("train")
            return rows, self.labels_of(rows)
        table = pq.read_table(own).to_pandas()
        return self.rows_by_id(table["example_id"]), class_numbers(table["label"], self.classes)

    def model(self, seed: int) -> tuple[nn.Module, frozenset[str]]:
        """Return a fresh classifier on the device, and the names of its newly initialised parameters."""
        source = models.ModelSource(**self.config["model"])
        model, new = models.load_classifier_and_new(source, len(self.classes), seed)
        return model.to(self.config["environment"]["device"]), new


def open_workshop(
    folder: RunFolder, progress: Progress, check: Callable[[], None], log: Callable[[str], None]
) -> Workshop:
    """Make torch compute as the run says, and tokenise the snapshot once for all trainings.

    Args:
        folder: Of the run.
        progress: Where the run stands.
        check: Raises if the run shall stop.
        log: Takes lines for the run's log.
    """
    config = folder.config()
    devices.apply(devices.Environment(**config["environment"]))
    training = TrainingConfig(**config["training"])
    examples = read_snapshot(folder)
    tokenizer = models.load_tokenizer(models.ModelSource(**config["model"]))
    pairs = examples["text_pair"].tolist() if examples["text_pair"].notna().any() else None
    encoded = encode(tokenizer, examples["text"].tolist(), pairs, training.max_length)
    return Workshop(folder, config, training, examples, encoded, tokenizer, progress, check, log)
