"""What several benchmarks share: options, figures as text, and the right labels that `--truth` names."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.cli.verbs.data import only_dataset
from diet_core.errors import DataError, SettingError
from diet_core.store.loading.datasets import find_dataset, list_datasets, read_examples, read_source

if TYPE_CHECKING:
    from diet_core.dataset import DatasetInfo
    from diet_core.store.store import Store


def checked_number(args: Namespace, *names: str) -> None:
    """Check that numbers that were given are at least 1.

    Raises:
        SettingError: If one is not.
    """
    for name in names:
        if (value := getattr(args, name)) is not None and value < 1:
            raise SettingError(f"--{name} is {value}. Give at least 1.")


def mean_text(figure: Mapping[str, float | None]) -> str:
    """Return a mean and its standard deviation.

    >>> mean_text({"mean": 0.5, "std": 0.25}), mean_text({"mean": 0.5, "std": None})
    ('0.500 ± 0.250', '0.500')
    """
    return f"{figure['mean']:.3f}" + ("" if figure["std"] is None else f" ± {figure['std']:.3f}")


def chosen_examples(store: Store, dataset: str | None) -> tuple[DatasetInfo, pd.DataFrame]:
    """Return the data set that `--dataset` names, or the only one, and its examples."""
    info = find_dataset(store, dataset or only_dataset(list_datasets(store)))
    return info, read_examples(store, info.dataset_id)


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
