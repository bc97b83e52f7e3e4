"""A labelled data set in memory: what readers make, the store keeps and runs are trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Roles:
    """Which columns of the source play which part.

    Attributes:
        text: The text, or the first text of a pair.
        label: The class.
        text_pair: The second text of a pair.
        id: The example ids; None lets them be made from the texts.
        split: The split of each row; None lets a tenth be held out unless a test file is given.
    """

    text: str
    label: str
    text_pair: str | None = None
    id: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set beside its rows; all of it can be written as JSON.

    Attributes:
        name: The user's name for it.
        source: Where it came from: a path or a hub name.
        source_format: csv, tsv, json, jsonl, parquet or hf.
        sha256: Of the source file's bytes (of all files, in order of their names, for a folder).
        roles: Which column is what.
        classes: Class names in order; a label's index in this tuple is its class number.
        label_values: Per class name, the value that the source file uses for it (an int for a ClassLabel).
        test_source: The separate test file, where there is one.
        version: Counts from 1; `--overwrite` makes the next one. 0 = not in a store.
    """

    name: str
    source: str
    source_format: str
    sha256: str
    roles: Roles
    classes: tuple[str, ...]
    label_values: dict[str, Any]
    test_source: str | None = None
    version: int = 0

    @property
    def dataset_id(self) -> str:
        """The key of this version in the store and in run folders."""
        return f"{self.name}-v{self.version}"


@dataclass(frozen=True)
class Dataset:
    """A labelled data set in memory.

    Attributes:
        info: What is known beside the rows.
        examples: One row per example, columns as `tables.EXAMPLE_COLUMNS`; strings, `source_row` int64
            (0-based row of its own file), `text_pair` all null without pairs, `split` train, test or
            validation (validation rows are kept and exported but neither trained nor tested on).
            Rows of the source file come first, in its order; those of a separate test file follow.
        source: The source file's own rows (not those of a separate test file), in its order, with its own
            columns and types. JSON sources have the single column `row`: each row's object as JSON text.
        warnings: Sentences for the user about what was seen (repeated texts, a held-out tenth, …).
    """

    info: DatasetInfo
    examples: pd.DataFrame
    source: pa.Table
    warnings: tuple[str, ...] = field(default=())
