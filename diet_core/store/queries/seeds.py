"""Scores per seed: of one example, and of all as one array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diet_core.store.loading.runs import read_run
from diet_core.store.queries.one_example import position_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from diet_core.store.store import Store


def read_seed_scores(store: Store, run_id: str, example_id: str) -> pd.DataFrame:
    """Return what each seed's last step says of one example.

    Returns:
        Columns seed, step, el2n, grand, predicted (the class's number) and label_probability (both null for a
        run that an older version loaded and whose folder is gone); one row per seed, none where the run did
        not score the example.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    return store.frame(
        "SELECT seed, step, el2n, grand, predicted, label_probability FROM seed_scores "
        "WHERE run_id = ? AND step = ? AND position = ? ORDER BY seed",
        [run_id, _last_step(store, run_id), position_of(store, run_id, example_id)],
    )


def read_seed_matrix(store: Store, run_id: str) -> NDArray[np.float64]:
    """Return EL2N at each seed's last step, shape (n_seeds, n_examples), examples in the data set's order.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    values = store.frame(
        "SELECT seed, el2n FROM seed_scores WHERE run_id = ? AND step = ? ORDER BY seed, position",
        [run_id, _last_step(store, run_id)],
    )
    n_seeds = values["seed"].nunique()
    matrix: NDArray[np.float64] = (
        values["el2n"].to_numpy(dtype=np.float64).reshape(n_seeds, len(values) // max(n_seeds, 1))
    )
    return matrix


def _last_step(store: Store, run_id: str) -> int | None:
    """Return the last score step of a run, the same for all its seeds; None for a run without any.

    Asked for by itself: with a constant the other query skips all blocks of other steps (20 steps of 5 seeds
    and 100,000 examples: 45 ms instead of 200).

    Raises:
        NotFoundError: If the run is not loaded.
    """
    read_run(store, run_id)
    sql = "SELECT max(step) FROM seed_scores WHERE run_id = ?"
    last: int | None = store.constants.known(run_id, sql, lambda: store.rows(sql, [run_id])[0][0])
    return last
