"""Examples whose reviewers disagree."""

import pandas as pd

from diet_core.store.store import Store


def list_conflicts(store: Store, dataset_id: str) -> pd.DataFrame:
    """Return the examples in conflict, in the order of decision; none of them has an effect."""
    return store.frame(
        "SELECT * FROM consensus WHERE dataset_id = ? AND n_opinions > 1 ORDER BY decision_id", [dataset_id]
    )
