"""Ids and splits: which example is which, and which ones are only tested on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from diet_core.data.columns import RoleColumns
from diet_core.data.formats.source import SourceTable
from diet_core.errors import DataError

SPLIT_NAMES: Final = {
    "train": "train",
    "training": "train",
    "test": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}

# An example is held out if its hash lies in the lowest tenth of all 64-bit numbers.
_HELD_OUT_BELOW: Final = 2**64 // 10


def text_ids(texts: Sequence[str], text_pairs: Sequence[str] | None) -> list[str]:
    """Return 16 hex digits for each text (pair): blake2b of its UTF-8, a NUL between the two.

    Example:
        >>> text_ids(["good", "good"], ["food", "mood"])
        ['55df0861da09d2fc', '49622c54ab37c740']
    """
    joined = texts if text_pairs is None else [f"{a}\0{b}" for a, b in zip(texts, text_pairs, strict=True)]
    return [hashlib.blake2b(text.encode()).hexdigest()[:16] for text in joined]


def numbered(ids: Sequence[str]) -> list[str]:
    """Return ids with `-2`, `-3`… for repeats, in order.

    The ids are hex digits, so that a numbered one equals no other.

    Example:
        >>> numbered(["aa", "bb", "aa", "aa"])
        ['aa', 'bb', 'aa-2', 'aa-3']
    """
    seen: Counter[str] = Counter()
    result = []
    for base in ids:
        seen[base] += 1
        result.append(base if seen[base] == 1 else f"{base}-{seen[base]}")
    return result


def check_unique(ids: Sequence[str], names: str) -> None:
    """Check that the source's own ids differ.

    Raises:
        DataError: If one comes twice.
    """
    repeated = [(example_id, count) for example_id, count in Counter(ids).items() if count > 1]
    if repeated:
        example_id, count = repeated[0]
        others = f", and {len(repeated) - 1:,} more ids come more than once" if len(repeated) > 1 else ""
        raise DataError(
            f"The id {example_id!r} comes {count:,} times in {names}{others}. "
            "Make the ids unique, or leave --id out and ids are made from the texts."
        )


def hash64(seed: int, key: str) -> int:
    """Return a 64-bit hash of a seed and a key, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{key}".encode(), digest_size=8).digest(), "big")


def held_out(base_ids: Sequence[str], seed: int) -> list[bool]:
    """Return for each example whether it belongs to the held-out tenth.

    A threshold, not a quota: an example's side depends on its own id and the seed only, so that it
    is the same after other rows were dropped, and repeats of a text stay together.

    Args:
        base_ids: Ids before repeats are numbered.
        seed: The seed of the split.
    """
    return [hash64(seed, base_id) < _HELD_OUT_BELOW for base_id in base_ids]


def sampled_rows(n_rows: int, limit: int, seed: int) -> list[int]:
    """Return `limit` row numbers drawn by a hash of seed and position, in order."""
    drawn = sorted(range(n_rows), key=lambda row: (hash64(seed, f"row {row}"), row))[:limit]
    return sorted(drawn)


def named_splits(columns: RoleColumns, column: str, *, by_prefix: bool) -> list[str]:
    """Return the split column's values as train, test and validation.

    Args:
        columns: The source's columns.
        column: The split column's name.
        by_prefix: Whether `validation_matched` is a validation split too, as for the hub's data sets.

    Raises:
        DataError: If other names occur.
    """
    names = {value: split_name(value, by_prefix=by_prefix) for value in dict.fromkeys(columns.splits or [])}
    unknown = [repr(value) for value, name in names.items() if name is None]
    if unknown:
        shown = ", ".join(unknown[:8]) + (", …" if len(unknown) > 8 else "")
        raise DataError(
            f"The split column {column!r} of {columns.source.name} has values that name no split: {shown}. "
            "Use train, test and validation."
        )
    return [names[value] or "" for value in columns.splits or []]


def split_name(value: str, *, by_prefix: bool) -> str | None:
    """Return train, test or validation for a split's name, None for another one.

    Example:
        >>> split_name("Dev", by_prefix=False), split_name("test_matched", by_prefix=True)
        ('validation', 'test')
    """
    name = value.strip().lower()
    if by_prefix:
        name = name.replace("-", "_").split("_")[0]
    return SPLIT_NAMES.get(name)


def labelled_only(
    source: SourceTable, split_column: str, unlabelled: Sequence[bool]
) -> tuple[SourceTable, list[str]]:
    """Return a hub data set without splits that have no labels at all, and a warning for each.

    Benchmarks (GLUE) publish their test splits so, with -1 for each label.
    """
    splits = source.column(split_column)
    labelled = {split for split, is_missing in zip(splits, unlabelled, strict=True) if not is_missing}
    aside = Counter(split for split in splits if split not in labelled)
    if not aside or not labelled:
        return source, []
    kept = [row for row, split in enumerate(splits) if split in labelled]
    warnings = [
        f"The split {split!r} has no labels; its {count:,} rows are not examples and are exported unchanged."
        for split, count in aside.items()
    ]
    return source.take(kept), warnings
