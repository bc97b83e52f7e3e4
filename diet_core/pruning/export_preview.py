"""Exports for the browser: counted and previewed first, then written as files beside the workspace."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.config import Rule, to_json
from diet_core.dataset import DatasetInfo
from diet_core.pruning.export import export, other_version
from diet_core.pruning.outcome import Outcome, outcome
from diet_core.rule import options_of
from diet_core.runs.folder import RunFolder
from diet_core.store.loading.datasets import find_dataset
from diet_core.store.loading.sources import count_rows, source_file
from diet_core.store.queries.run_arrays import (
    Decisions,
    RunExamples,
    read_source_examples,
    read_training_examples,
)

if TYPE_CHECKING:
    from diet_core.store.store import Store

FORMATS: Final = ("csv", "tsv", "jsonl", "json", "parquet")
# How many prepared exports stay in the cache; the oldest go first.
KEPT_EXPORTS: Final = 20


@dataclass(frozen=True)
class Choice:
    """What is exported and how.

    Attributes:
        name: The data set.
        run_id: The scoring run of the rule; None = decisions only.
        rule: What is kept; None = decisions only.
        with_decisions: Apply the effective decisions.
        with_split: Add the split as a column.
        format: One of `FORMATS`.
    """

    name: str
    run_id: str | None
    rule: Rule | None
    with_decisions: bool
    with_split: bool
    format: str

    @property
    def file_name(self) -> str:
        """The file's name; a data set's name has only characters that are safe in it."""
        return f"{self.name}-clean.{self.format}"


@dataclass(frozen=True)
class SourceRows:
    """The rows of a data set version as an export sees them, without their texts.

    Attributes:
        info: The data set.
        examples: position, source_row, label and split of the source file's rows (not of a separate
            test file's), in its order.
        training: The training examples among them.
        is_training: Which rows of `examples` these are.
        n_rows: Rows of the source file.
    """

    info: DatasetInfo
    examples: pd.DataFrame
    training: RunExamples
    is_training: NDArray[np.bool_]
    n_rows: int


@dataclass(frozen=True)
class ExportPreview:
    """What an export would hold.

    Attributes:
        outcome: Of the training examples.
        rows_in: Rows of the source file.
        rows: Rows of the exported file.
        test_rows: Rows of the test split among them, unchanged.
        is_exported: Which rows of `SourceRows.examples` are in the file.
    """

    outcome: Outcome
    rows_in: int
    rows: int
    test_rows: int
    is_exported: NDArray[np.bool_]


def source_rows(store: Store, name: str) -> SourceRows:
    """Return the rows that an export of a data set starts from.

    Raises:
        NotFoundError: If there is no such data set.
        DataError: If its source's rows are not in the workspace.
    """
    info = find_dataset(store, name)
    examples = read_source_examples(store, info.dataset_id)
    if info.test_source is not None:
        examples = examples[examples["split"] != "test"].reset_index(drop=True)
    is_training = (examples["split"] == "train").to_numpy()
    n_rows = count_rows(source_file(store.workspace, info.dataset_id))
    training = read_training_examples(store, info.dataset_id)
    return SourceRows(info, examples, training, is_training, n_rows)


def preview_of(
    source: SourceRows,
    scored: RunExamples | None,
    by_rule: NDArray[np.bool_] | None,
    decisions: Decisions | None,
) -> ExportPreview:
    """Return what an export would hold, without writing it.

    Args:
        source: The rows.
        scored: The examples of the rule's run; None = no rule.
        by_rule: Which of these the rule keeps; None = no rule.
        decisions: The effective decisions; None to leave them out.

    Raises:
        RunStateError: If the run did not score this version of the data set.
    """
    if scored is not None and not source.training.are_those_of(scored):
        raise other_version("The run", source.info)
    kept = np.ones(len(source.training), dtype=bool) if by_rule is None else by_rule
    kept_and_dropped = outcome(source.training, kept, decisions)
    is_exported = np.ones(len(source.examples), dtype=bool)
    is_exported[source.is_training] = kept_and_dropped.is_kept
    return ExportPreview(
        outcome=kept_and_dropped,
        rows_in=source.n_rows,
        rows=source.n_rows - kept_and_dropped.n_dropped,
        test_rows=int((source.examples["split"] == "test").sum()),
        is_exported=is_exported,
    )


def shown_rows(source: SourceRows, preview: ExportPreview, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return what happens to some rows.

    Args:
        source: The rows.
        preview: What the export would hold.
        rows: Positions in `source.examples`.

    Returns:
        Columns position, source_row, split, label (in the source), new_label, and by: what takes the row
        out (rule, decision), empty for exported rows.
    """
    examples = source.examples.iloc[rows].reset_index(drop=True)
    is_training = source.is_training[rows]
    number = (np.cumsum(source.is_training) - 1)[rows][is_training]
    new_label = examples["label"].copy()
    new_label[is_training] = [source.info.classes[code] for code in preview.outcome.codes[number]]
    by = np.full(len(rows), "", dtype=object)
    by[is_training] = np.where(preview.outcome.by_rule[number], "decision", "rule")
    by[preview.is_exported[rows]] = ""
    return examples.assign(new_label=new_label, by=by)


def prepare(store: Store, choice: Choice, run: RunFolder | None) -> tuple[Path, dict[str, Any]]:
    """Write the export and its manifest into the workspace's cache; return the file and what was written.

    Args:
        store: Holds the data set and the decisions.
        choice: What is exported.
        run: The folder of `choice.run_id`.

    Raises:
        NotFoundError: If there is no such data set.
        RunStateError: If the run is not of this data set.
        DataError: If the format cannot hold the values.
    """
    exports = store.workspace.cache / "exports"
    folder = exports / _digest(store, choice)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / choice.file_name
    content = export(
        store,
        choice.name,
        out,
        run=run,
        rule=choice.rule,
        with_decisions=choice.with_decisions,
        with_split=choice.with_split,
        overwrite=True,
    )
    folder.touch()
    _forget_old(exports)
    return out, content


def _digest(store: Store, choice: Choice) -> str:
    """Return the folder's name: equal choices on an equal version share it."""
    content = [find_dataset(store, choice.name).dataset_id, to_json(choice)]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()


def _forget_old(exports: Path) -> None:
    """Delete the oldest exports beyond the newest `KEPT_EXPORTS`."""
    folders = sorted(exports.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[KEPT_EXPORTS:]:
        shutil.rmtree(folder, ignore_errors=True)


def command(choice: Choice) -> str:
    """Return the command line that writes the same file.

    >>> command(Choice("reviews", None, None, True, False, "csv"))
    'python -m diet_core export reviews --out reviews-clean.csv'
    """
    words = ["python -m diet_core export", choice.name, "--out", choice.file_name]
    if choice.rule is not None:
        words += ["--run", str(choice.run_id), *options_of(choice.rule)]
    words += [] if choice.with_decisions else ["--no-decisions"]
    words += ["--with-split"] if choice.with_split else []
    return " ".join(words)
