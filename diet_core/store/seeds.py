"""Scores per seed: of one example, and of all as one array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from diet_core.store.store import Store


def example_seed_scores(store: Store, run_id: str, example_id: str) -> pd.DataFrame:
    """Return what each seed's last step says of one example.

    Returns:
        Columns seed, step, el2n, grand; one row per seed, none where the run did not score the example.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    store.run(run_id)
    return store.frame(
        """
        SELECT seed, step, el2n, grand FROM seed_scores WHERE run_id = ? AND example_id = ?
        QUALIFY row_number() OVER (PARTITION BY seed ORDER BY step DESC) = 1 ORDER BY seed
        """,
        [run_id, example_id],
    )


def seed_matrix(store: Store, run_id: str) -> NDArray[np.float64]:
    """Return EL2N at each seed's last step, shape (n_seeds, n_examples), examples in the order of their ids.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    store.run(run_id)
    values = store.frame(
        """
        SELECT seed, el2n FROM seed_scores WHERE run_id = ?
        QUALIFY step = max(step) OVER (PARTITION BY seed) ORDER BY seed, example_id
        """,
        [run_id],
    )
    n_seeds = values["seed"].nunique()
    matrix: NDArray[np.float64] = (
        values["el2n"].to_numpy(dtype=np.float64).reshape(n_seeds, len(values) // max(n_seeds, 1))
    )
    return matrix
