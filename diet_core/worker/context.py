"""What all trainings of one run share: settings, snapshot, tokens, progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from torch import nn

from diet_core.config import TrainingConfig
from diet_core.run_config import PlannedTraining, RunConfig
from diet_core.runs.facts import class_numbers, read_snapshot
from diet_core.runs.folder import RunFolder
from diet_core.training import devices, models
from diet_core.training.batches import Encoded, encode
from diet_core.training.dynamic import DynamicSelection
from diet_core.training.loop import steps_of
from diet_core.worker.progress import Progress


@dataclass(frozen=True)
class RunContext:
    """All that the trainings of one run share.

    Attributes:
        folder: Of the run.
        config: What the run was told.
        examples: The snapshot, its row numbers as index.
        encoded: The tokens of every row of the snapshot.
        tokenizer: The model's, to be saved beside kept weights.
        progress: Where the run stands.
        check: Raises if the run shall stop.
        log: Takes lines for the run's log.
    """

    folder: RunFolder
    config: RunConfig
    examples: pd.DataFrame
    encoded: Encoded
    tokenizer: Any
    progress: Progress
    check: Callable[[], None]
    log: Callable[[str], None]

    @property
    def settings(self) -> TrainingConfig:
        """The settings of every training."""
        return self.config.settings

    @property
    def classes(self) -> list[str]:
        """The class names in order."""
        return list(self.config.dataset.classes)

    @property
    def score_steps(self) -> list[int]:
        """The steps at which a scoring run records its facts, the last one always; none for other runs."""
        if self.config.kind != "score":
            return []
        return list(self.config.score_steps or [steps_of(len(self.rows_of("train")), self.settings)])

    def total_steps(self, training: PlannedTraining) -> int:
        """Return the optimizer steps of a training: its own, the run's for all, or those of its epochs."""
        planned = training.total_steps or self.config.total_steps
        return planned or steps_of(len(self.training_rows(training)[0]), self.settings)

    def dynamic(self, training: PlannedTraining) -> DynamicSelection | None:
        """Return what chooses the examples of a dynamically pruned training, of others None."""
        if training.dynamic is None:
            return None
        rows, labels = self.training_rows(training)
        return DynamicSelection(
            training.dynamic,
            self.ids_of(rows),
            labels,
            self.total_steps(training),
            self.settings.batch_size,
        )

    def steps_to_record(self, training: PlannedTraining) -> list[int]:
        """Return the steps at which a training records facts: a fold at its own last step only."""
        if not training.is_fold:
            return self.score_steps
        return [steps_of(len(self.training_rows(training)[0]), self.settings)]

    def rows_to_record(self, training: PlannedTraining) -> NDArray[np.int64]:
        """Return the row numbers that a training's facts are of: of a fold, what it does not train on."""
        rows = self.rows_of("train")
        if not training.is_fold:
            return rows
        return rows[~np.isin(rows, self.training_rows(training)[0])]

    def records_features(self, training: PlannedTraining, step: int) -> bool:
        """Return whether the encoder's representation is kept: of the first seed, at its last step."""
        return training == self.config.trainings[0] and step == self.score_steps[-1]

    def rows_of(self, split: str) -> NDArray[np.int64]:
        """Return the row numbers of a split."""
        return np.flatnonzero((self.examples["split"] == split).to_numpy())

    def ids_of(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the example ids of rows of the snapshot."""
        return list(self.examples["example_id"].iloc[rows])

    def labels_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class numbers of rows of the snapshot."""
        return class_numbers(self.examples["label"].iloc[rows], self.classes)

    def rows_by_id(self, example_ids: pd.Series) -> NDArray[np.int64]:
        """Return the row numbers of examples."""
        rows = pd.Index(self.examples["example_id"]).get_indexer(pd.Index(example_ids))
        return np.asarray(rows, dtype=np.int64)

    def training_rows(self, training: PlannedTraining) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row numbers that a training uses, and their class numbers."""
        own = self.folder.training_examples_file(training.name)
        if not own.exists():
            rows = self.rows_of("train")
            return rows, self.labels_of(rows)
        table = pq.read_table(own).to_pandas()
        return self.rows_by_id(table["example_id"]), class_numbers(table["label"], self.classes)

    def model(self, seed: int) -> tuple[nn.Module, frozenset[str]]:
        """Return a fresh classifier on the device, and the names of its newly initialised parameters."""
        model, new = models.load_classifier_and_new(self.config.model, len(self.classes), seed)
        return model.to(self.config.environment.device), new


def open_context(
    folder: RunFolder, progress: Progress, check: Callable[[], None], log: Callable[[str], None]
) -> RunContext:
    """Make torch compute as the run says, and tokenise the snapshot once for all trainings.

    Args:
        folder: Of the run.
        progress: Where the run stands.
        check: Raises if the run shall stop.
        log: Takes lines for the run's log.
    """
    config = folder.config()
    devices.apply(config.environment)
    examples = read_snapshot(folder)
    tokenizer = models.load_tokenizer(config.model)
    pairs = examples["text_pair"].tolist() if examples["text_pair"].notna().any() else None
    encoded = encode(tokenizer, examples["text"].tolist(), pairs, config.settings.max_length)
    return RunContext(folder, config, examples, encoded, tokenizer, progress, check, log)
