"""Right labels that are known beside the given ones, as `--truth` names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import DataError
from diet_core.store.loading.datasets import read_source

if TYPE_CHECKING:
    from diet_core.dataset import DatasetInfo
    from diet_core.store.store import Store


def right_labels(store: Store, info: DatasetInfo, examples: pd.DataFrame, truth: str) -> dict[str, str]:
    """Return the right label by example id, from a column of the data set's own file or from another file.

    Raises:
        DataError: If there is neither, or the file has other columns than an id and the right label.
    """
    source = read_source(store, info.dataset_id)
    train = examples[examples["split"] == "train"]
    if truth in source.column_names:
        column = source[truth].to_pylist()
        rows = zip(train["example_id"], train["source_row"], strict=True)
        return {example_id: str(column[row]) for example_id, row in rows}
    path = Path(truth).expanduser()
    if not path.is_file():
        raise DataError(
            f"{truth} is neither a column of {info.source} (it has: {', '.join(source.column_names)}) nor a "
            "file. Give one with the right labels."
        )
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if len(frame.columns) != 2:
        raise DataError(
            f"{path.name} has the columns {', '.join(frame.columns)}. Give a CSV file of two: "
            "the id of the example, then its right label."
        )
    return dict(zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True))


def right_classes(answers: Mapping[str, str], ids: Sequence[str], info: DatasetInfo) -> NDArray[np.int64]:
    """Return the class number of each example's right label, shape (n_ids,).

    Raises:
        DataError: If an example has no right label, or one that is no class.
    """
    from diet_core.runs.facts import class_numbers

    lacking = [example_id for example_id in ids if example_id not in answers]
    if lacking:
        raise DataError(
            f"{len(lacking)} examples have no right label, such as {lacking[0]!r}. "
            "Give the right labels of all of them, by the ids of the import (--id)."
        )
    labels = pd.Series([answers[example_id] for example_id in ids], dtype="str")
    if not (known := labels.isin(info.classes)).all():
        raise DataError(
            f"{labels[~known].iloc[0]!r} is no class of {info.name} (it has: {', '.join(info.classes)}). "
            "Give right labels by these names."
        )
    return class_numbers(labels, info.classes)
