"""What the Prune and Export pages read: columns without texts for the counts, a few texts for the eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pandas as pd
import pyarrow.parquet as pq

from diet_core.errors import DataError
from diet_core.store.filters import checked_score
from diet_core.store.sources import source_file

if TYPE_CHECKING:
    from diet_core.store.store import Store

# Characters of a text that a preview shows: forty rows of them stay far below a megabyte.
SHOWN_CHARACTERS: Final = 1_000


def score_values(store: Store, run_id: str, by: str) -> pd.DataFrame:
    """Return one score of all examples of a run: columns example_id, label and the score, in their order.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` is not a score.
    """
    dataset_id = store.run(run_id).dataset.dataset_id
    return store.frame(
        f"SELECT s.example_id, e.label, s.{checked_score(by)} "
        "FROM scores s JOIN examples e ON e.example_id = s.example_id "
        "WHERE s.run_id = ? AND e.dataset_id = ? ORDER BY e.position",
        [run_id, dataset_id],
    )


def source_examples(store: Store, dataset_id: str) -> pd.DataFrame:
    """Return the examples of a version without their texts: example_id, source_row, label, split."""
    return store.frame(
        "SELECT example_id, source_row, label, split FROM examples WHERE dataset_id = ? ORDER BY position",
        [dataset_id],
    )


def n_source_rows(store: Store, dataset_id: str) -> int:
    """Return how many rows the source file of a version has.

    Raises:
        DataError: If its rows were never imported (it came with a notebook's run) or the file is gone.
    """
    file = source_file(store.workspace, dataset_id)
    try:
        return int(pq.read_metadata(file).num_rows)
    except OSError as error:
        raise DataError(
            f"The rows of the imported file cannot be read from {file}. "
            "Import the source again: python -m diet_core import"
        ) from error


def shown_texts(store: Store, dataset_id: str, example_ids: Sequence[str]) -> pd.DataFrame:
    """Return the texts of some examples, cut for the eye and saying so.

    Returns:
        Columns text and text_pair, the example id as index, in the order of `example_ids`.
    """
    cut = ", ".join(
        f"CASE WHEN length({c}) > {SHOWN_CHARACTERS} "
        f"THEN left({c}, {SHOWN_CHARACTERS}) || format(' … [{{:,}} more characters]', "
        f"length({c}) - {SHOWN_CHARACTERS}) ELSE {c} END AS {c}"
        for c in ("text", "text_pair")
    )
    found = store.frame(
        f"SELECT example_id, {cut} FROM examples WHERE dataset_id = ? AND example_id IN (SELECT unnest(?))",
        [dataset_id, list(example_ids)],
    )
    return found.set_index("example_id").reindex(list(example_ids))
