"""Which fold an example is in, so that models can score what they did not train on."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diet_core.errors import SettingError

MOST_FOLDS: Final = 20
SHOWN_CLASSES: Final = 6  # in a sentence


def checked_folds(folds: int) -> int:
    """Return `folds` if it can be asked for.

    Raises:
        SettingError: If it is neither 0 nor from 2 to 20.
    """
    if folds and not 2 <= folds <= MOST_FOLDS:
        raise SettingError(f"folds is {folds}. Give 0 for none, or a whole number from 2 to {MOST_FOLDS}.")
    return folds


def fold_numbers(
    labels: Sequence[str],
    example_ids: Sequence[str],
    folds: int,
    seed: int,
    texts: Sequence[Hashable] | None = None,
) -> NDArray[np.int64]:
    """Return the fold of each example, stratified by label and the same whatever the order of the rows.

    Where every text is there once, a class's examples per fold differ by 1 at most, and so do the sizes of
    the folds. Repeats of a text are in one fold, so that no model scores a text that it trained on; they are
    dealt first, and the others even out what they leave.

    Args:
        labels: The class of each example.
        example_ids: One each; a hash of it and of the seed decides.
        folds: How many, from 2 to 20.
        seed: Another one gives another split.
        texts: What repeats share, such as text and text pair; None = nothing is repeated.

    Returns:
        Numbers from 1 to `folds`, shape (n_examples,).

    Raises:
        SettingError: If there are fewer different texts than folds.

    >>> found = fold_numbers(["a", "a", "b", "b"], ["1", "2", "3", "4"], folds=2, seed=0)
    >>> sorted(found[:2].tolist()), sorted(found[2:].tolist())  # one example of each class in each fold
    ([1, 2], [1, 2])
    """
    groups = _groups(example_ids, seed, texts)
    if folds > len(groups):
        raise SettingError(
            f"folds is {folds}, but there are {len(groups)} different training texts. "
            f"Give at most {min(len(groups), MOST_FOLDS)} folds, or 0 for none."
        )
    numbers = np.zeros(len(example_ids), np.int64)
    sizes = [0] * folds
    per_class: dict[str, list[int]] = {label: [0] * folds for label in sorted(set(labels))}
    repeated = [rows for rows in groups if len(rows) > 1]
    # A stable sort: texts that come equally often stay in the order of their hashes.
    for rows in sorted(repeated, key=len, reverse=True):
        fold = _emptiest(rows, labels, per_class, sizes)
        numbers[rows] = fold + 1
        sizes[fold] += len(rows)
        for row in rows:
            per_class[labels[row]][fold] += 1
    single: dict[str, list[int]] = {label: [] for label in per_class}
    for rows in groups:
        if len(rows) == 1:
            single[labels[rows[0]]].append(rows[0])
    for label, of_label in single.items():
        _deal(of_label, per_class[label], sizes, numbers)
    return numbers


def _groups(example_ids: Sequence[str], seed: int, texts: Sequence[Hashable] | None) -> list[list[int]]:
    """Return the row numbers of each text in the order of the lowest hash among them."""
    by_text: dict[Hashable, list[int]] = {}
    for row in sorted(range(len(example_ids)), key=lambda row: _hash(example_ids[row], seed)):
        by_text.setdefault(row if texts is None else (texts[row],), []).append(row)
    return list(by_text.values())


def _hash(example_id: str, seed: int) -> tuple[bytes, str]:
    return hashlib.blake2b(f"fold {seed} {example_id}".encode(), digest_size=8).digest(), example_id


def _emptiest(
    rows: Sequence[int], labels: Sequence[str], per_class: dict[str, list[int]], sizes: Sequence[int]
) -> int:
    """Return the fold that has the fewest examples of these rows' classes, then the fewest at all."""
    counts = Counter(labels[row] for row in rows)
    return min(
        range(len(sizes)), key=lambda f: (sum(n * per_class[c][f] for c, n in counts.items()), sizes[f], f)
    )


def _deal(rows: Iterable[int], of_class: list[int], sizes: list[int], numbers: NDArray[np.int64]) -> None:
    """Give each row of a class to the fold that has the fewest of the class, then the fewest at all."""
    heap = [(of_class[fold], size, fold) for fold, size in enumerate(sizes)]
    heapq.heapify(heap)
    for row in rows:
        count, size, fold = heap[0]
        numbers[row] = fold + 1
        heapq.heapreplace(heap, (count + 1, size + 1, fold))
    for _, size, fold in heap:
        sizes[fold] = size


def unseen_in_words(classes: Sequence[str]) -> str | None:
    """Return what `unseen_classes` means for the scores out of fold; None where there are none.

    >>> print(unseen_in_words(["b"]))
    The examples of class b are scored out of fold by models that never saw the class: it lies in one fold.
    """
    if not classes:
        return None
    some = [*classes[:SHOWN_CLASSES], *(["…"] if len(classes) > SHOWN_CLASSES else [])]
    kind, it = ("class", "it") if len(classes) == 1 else ("classes", "each")
    return (
        f"The examples of {kind} {', '.join(some)} are scored out of fold by models that never saw the "
        f"class: {it} lies in one fold."
    )


def unseen_classes(labels: Sequence[str], numbers: NDArray[np.int64]) -> list[str]:
    """Return the classes that lie in one fold only: the models that score them have never seen them.

    Args:
        labels: The class of each example.
        numbers: From `fold_numbers`, shape (n_examples,).

    Returns:
        Class names in order.

    >>> unseen_classes(["a", "a", "b"], np.array([1, 2, 1]))
    ['b']
    """
    pairs = set(zip(labels, numbers.tolist(), strict=True))
    folds = Counter(label for label, _ in pairs)
    return sorted(label for label, n in folds.items() if n == 1)
