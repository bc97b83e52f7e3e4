"""What the user is told about examples that were imported; nothing is dropped here."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from diet_core.errors import DataError

# Below this many training examples a class cannot be learnt or ranked with any confidence.
FEW_EXAMPLES: Final = 5


def check_classes(examples: pd.DataFrame, names: str, *, is_test_separate: bool) -> None:
    """Check that there are two classes, and that a separate test file has no class of its own.

    Within one file a class without training examples is no error (`warnings_about` tells of it): a rare
    class may fall into the held-out tenth, or have lost its training rows to pruning.

    Args:
        examples: All examples.
        names: Of the files, for messages.
        is_test_separate: Whether the test split is a file of its own, where such a class is a slip.

    Raises:
        DataError: If there is one class (in the training split), no training example, or a class that
            only a test file has.
    """
    classes = sorted(examples["label"].unique())
    train = set(examples.loc[examples["split"] == "train", "label"].unique())
    if len(classes) == 1:
        raise DataError(
            f"All {len(examples):,} examples of {names} have the one label {classes[0]!r}. "
            "Give examples of at least two classes, or choose another column with --label."
        )
    if not train:
        raise DataError(f"{names} has no training examples. Mark some rows as train in the split column.")
    if len(train) == 1:
        raise DataError(
            f"The training examples of {names} have the one label {train.pop()!r}. "
            "Give training examples of at least two classes."
        )
    for label in classes if is_test_separate else ():
        if label not in train:
            places = examples.loc[examples["label"] == label, "split"].value_counts()
            where = " and ".join(f"{count:,} {split}" for split, count in places.items())
            raise DataError(
                f"Class {label!r} of {names} has no training example (only {where}). "
                "Correct the label, add training rows of that class, or take more rows."
            )


def warnings_about(examples: pd.DataFrame) -> list[str]:
    """Return a sentence for each thing that the user should know of the examples."""
    # Equal numbers for equal texts (pairs).
    keys = examples.groupby(["text", "text_pair"], dropna=False, sort=False).ngroup()
    return [*_repeats(examples, keys), *_overlap(examples, keys), *_rare(examples)]


def _repeats(examples: pd.DataFrame, keys: pd.Series) -> list[str]:
    """Return warnings of repeated texts and of texts with different labels."""
    n_repeats = int(keys.duplicated().sum())
    labels = pd.DataFrame({"key": keys, "label": examples["label"]}).drop_duplicates()
    n_contradicted = int((labels["key"].value_counts() > 1).sum())
    warnings = []
    if n_repeats:
        warnings.append(f"{_count(n_repeats, 'example repeats', 'examples repeat')} an earlier text.")
    if n_contradicted:
        warnings.append(f"{_count(n_contradicted, 'text has', 'texts have')} more than one label.")
    return warnings


def _overlap(examples: pd.DataFrame, keys: pd.Series) -> list[str]:
    """Return a warning of texts that are both trained and tested on."""
    shared = np.intersect1d(keys[examples["split"] == "train"], keys[examples["split"] == "test"])
    if not len(shared):
        return []
    return [f"{_count(len(shared), 'text is', 'texts are')} in both the train and the test split."]


def _rare(examples: pd.DataFrame) -> list[str]:
    """Return warnings of classes with few training examples or no test example."""
    counts = examples.loc[examples["split"] == "train", "label"].value_counts().sort_index()
    tested = set(examples.loc[examples["split"] == "test", "label"].unique())
    warnings = [
        f"Class {label!r} has no training example; a model cannot learn it."
        for label in sorted(tested - set(counts.index))
    ]
    warnings += [
        f"Class {label!r} has only {_count(int(count), 'training example', 'training examples')}."
        for label, count in counts.items()
        if count < FEW_EXAMPLES
    ]
    untested = [repr(label) for label in counts.index if label not in tested]
    if not tested:
        return [
            *warnings,
            "The test split is empty, so there will be no test accuracy; give a test file with --test.",
        ]
    if untested:
        warnings.append(f"The test split has no example of {', '.join(untested)}.")
    return warnings


def _count(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many}"
