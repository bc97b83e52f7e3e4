"""What the Prune and Export pages read: numbers for the counts, a few texts for the eyes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.parquet as pq

from diet_core.errors import DataError
from diet_core.store.filters import checked_score
from diet_core.store.loading.datasets import known_version
from diet_core.store.loading.runs import read_run
from diet_core.store.loading.sources import source_file
from diet_core.store.queries.examples import check_rankable
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from diet_core.store.store import Store

# Characters of a text that a preview shows: forty rows of them stay far below a megabyte.
SHOWN_CHARACTERS: Final = 1_000


@dataclass(frozen=True)
class RunExamples:
    """The scored examples of a run as numbers; their place in these arrays is their row.

    Attributes:
        dataset_id: The data set version.
        classes: The class names in the order of the class numbers.
        positions: Places in the data set version, ascending, shape (n_examples,).
        codes: Class numbers of the labels, shape (n_examples,).
        ties: `selection.ranking.tie_numbers` of their ids, shape (n_examples,).
    """

    dataset_id: str
    classes: tuple[str, ...]
    positions: NDArray[np.int32]
    codes: NDArray[np.int16]
    ties: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.positions)

    @cached_property
    def per_class(self) -> NDArray[np.int64]:
        """How many are of each class, shape (n_classes,)."""
        return np.bincount(self.codes, minlength=len(self.classes))

    def are_those_of(self, other: RunExamples) -> bool:
        """Return whether others are the same examples of the same version."""
        return self.dataset_id == other.dataset_id and np.array_equal(self.positions, other.positions)

    def rows_of(self, positions: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the rows of examples by their places; −1 for one that the run has not scored."""
        rows = np.searchsorted(self.positions, positions).clip(max=max(len(self) - 1, 0))
        if not len(self):
            return np.full(len(positions), -1)
        found: NDArray[np.int64] = np.where(self.positions[rows] == positions, rows, -1)
        return found


@dataclass(frozen=True)
class Decisions:
    """The effective decisions on a data set version as numbers.

    Attributes:
        positions: Places of the examples in the version, shape (n,).
        actions: Places in `tables.DECISION_ACTIONS`, shape (n,).
        codes: Class numbers of the new labels, −1 where there is none, shape (n,).
    """

    positions: NDArray[np.int32]
    actions: NDArray[np.int8]
    codes: NDArray[np.int16]

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.positions)


def run_examples(store: Store, run_id: str) -> RunExamples:
    """Return the scored examples of a run, by their positions.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    info = read_run(store, run_id).dataset
    found = _by_position(
        numbers(
            store,
            "SELECT position, coalesce(code, -1)::SMALLINT AS code, tie "
            f"FROM scores LEFT JOIN ({_CODES}) USING (label) WHERE run_id = ?",
            [list(info.classes), len(info.classes), run_id],
        )
    )
    return RunExamples(info.dataset_id, info.classes, found["position"], found["code"], found["tie"])


def training_examples(store: Store, dataset_id: str) -> RunExamples:
    """Return the training examples of a data set version as a run that scored them all would have them.

    Without `ties`: nothing is drawn from them.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    classes = known_version(store, dataset_id).classes
    found = numbers(
        store,
        "SELECT position::INTEGER AS position, coalesce(code, -1)::SMALLINT AS code "
        f"FROM examples LEFT JOIN ({_CODES}) USING (label) "
        "WHERE dataset_id = ? AND split = 'train' ORDER BY position",
        [list(classes), len(classes), dataset_id],
    )
    return RunExamples(dataset_id, classes, found["position"], found["code"], np.zeros(0, np.uint64))


def ranked_values(store: Store, run_id: str, by: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the rank (1 = hardest) and the value of each example of a run, in the order of `run_examples`.

    Raises:
        SettingError: If `by` is not a score or missing for some examples.
    """
    check_rankable(store, run_id, checked_score(by))
    columns = f"position, rank_{by} AS rank, {by} AS value"
    found = _by_position(numbers(store, f"SELECT {columns} FROM scores WHERE run_id = ?", [run_id]))
    return found["rank"], found["value"]


def n_predictions(store: Store, run_id: str) -> int:
    """Return of how many predictions `correctness` is the share: seeds times steps after step 0."""
    rows = store.rows(
        "SELECT count(*) FROM (SELECT DISTINCT seed, step FROM seed_scores WHERE run_id = ? AND step > 0)",
        [run_id],
    )
    return int(rows[0][0])


def last_decision(store: Store, dataset_id: str) -> int:
    """Return the number of the last event on a data set version, 0 without any: what changed, changed it."""
    rows = store.rows(
        "SELECT coalesce(max(decision_id), 0) FROM decisions WHERE dataset_id = ?", [dataset_id]
    )
    return int(rows[0][0])


def decisions_by_position(store: Store, dataset_id: str) -> Decisions:
    """Return the effective decisions on a data set version.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    classes = known_version(store, dataset_id).classes
    found = numbers(
        store,
        f"""
        SELECT e.position::INTEGER AS position, (list_position(?, action) - 1)::TINYINT AS action,
               coalesce(code, -1)::SMALLINT AS code
        FROM judged_examples j
        JOIN examples e ON e.dataset_id = j.dataset_id AND e.example_id = j.example_id
        LEFT JOIN ({_CODES}) c ON c.label = j.label
        WHERE j.dataset_id = ? AND n_opinions = 1 ORDER BY position
        """,
        [list(DECISION_ACTIONS), list(classes), len(classes), dataset_id],
    )
    return Decisions(found["position"], found["action"], found["code"])


# Class names with their numbers; the two question marks are the names and how many there are.
_CODES: Final = "SELECT unnest(?::VARCHAR[]) AS label, unnest(range(?)) AS code"


def numbers(store: Store, sql: str, parameters: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of a query that has no nulls as arrays."""
    with store.cursor() as cursor:
        table = cursor.sql(sql, params=list(parameters)).to_arrow_table()
    # By way of Arrow in a third of the time that the database takes to make arrays itself.
    return {name: table[name].to_numpy() for name in table.column_names}


def _by_position(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return rows by their positions. Runs are stored so; to have SQL sort a million takes 50 ms more."""
    positions = columns["position"]
    if (positions[1:] > positions[:-1]).all():
        return columns
    order = np.argsort(positions, kind="stable")
    return {name: column[order] for name, column in columns.items()}


def source_examples(store: Store, dataset_id: str) -> pd.DataFrame:
    """Return the examples of a version without their texts: position, source_row, label, split."""
    return store.frame(
        "SELECT position, source_row, label, split FROM examples WHERE dataset_id = ? ORDER BY position",
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


def shown_texts(store: Store, dataset_id: str, positions: Sequence[int]) -> pd.DataFrame:
    """Return the texts of some examples, cut for the eye and saying so.

    Returns:
        Columns example_id, text and text_pair, the place in the data set version as index, in the order of
        `positions`.
    """
    cut = ", ".join(
        f"CASE WHEN length({c}) > {SHOWN_CHARACTERS} "
        f"THEN left({c}, {SHOWN_CHARACTERS}) || format(' … [{{:,}} more characters]', "
        f"length({c}) - {SHOWN_CHARACTERS}) ELSE {c} END AS {c}"
        for c in ("text", "text_pair")
    )
    places = [int(position) for position in positions]
    found = store.frame(
        f"SELECT position, example_id, {cut} FROM examples "
        "WHERE dataset_id = ? AND position IN (SELECT unnest(?::BIGINT[]))",
        [dataset_id, places],
    )
    return found.set_index("position").reindex(places)
