"""Near-duplicates of a data set version: looked for once, then kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from diet_core.store.clock import now
from diet_core.store.loading.datasets import read_version
from diet_core.store.queries.run_arrays import read_arrays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from diet_core.store.store import Store


@dataclass(frozen=True)
class NearDuplicates:
    """The training examples that have near-duplicates.

    Attributes:
        positions: Their places in the data set version, ascending, shape (n,).
        groups: The group of each, read_arrays from 0 without gaps, shape (n,).
    """

    positions: NDArray[np.int32]
    groups: NDArray[np.int32]

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0


def is_searched(store: Store, dataset_id: str) -> bool:
    """Return whether somebody has looked for the near-duplicates of a version."""
    return bool(store.rows("SELECT 1 FROM near_duplicate_searches WHERE dataset_id = ?", [dataset_id]))


def read_near_duplicates(store: Store, dataset_id: str) -> NearDuplicates:
    """Return the near-duplicates of a version that was searched; none of another one."""
    found = read_arrays(
        store,
        "SELECT position, group_id FROM near_duplicates WHERE dataset_id = ? ORDER BY position",
        [dataset_id],
    )
    return NearDuplicates(found["position"], found["group_id"])


def save_near_duplicates(store: Store, dataset_id: str, found: NearDuplicates, threshold: float) -> None:
    """Keep what was found, instead of what was found before.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    read_version(store, dataset_id)
    table = pa.table({"position": found.positions, "group_id": found.groups})
    with store.loading, store.transaction() as cursor:
        for name in ("near_duplicates", "near_duplicate_searches"):
            cursor.execute(f"DELETE FROM {name} WHERE dataset_id = ?", [dataset_id])
        store.insert(cursor, "near_duplicates", table, dataset_id=dataset_id)
        cursor.execute(
            "INSERT INTO near_duplicate_searches VALUES (?, ?, ?, ?)",
            [dataset_id, threshold, found.n_groups, now()],
        )


def read_training_texts(store: Store, dataset_id: str) -> pa.Table:
    """Return the training texts of a version: columns position, text, text_pair, ascending by position."""
    return store.table(
        "SELECT position, text, text_pair FROM examples WHERE dataset_id = ? AND split = 'train' "
        "ORDER BY position",
        [dataset_id],
    )
