"""What the Prune and Export pages read: read_arrays for the counts, a few texts for the eyes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from diet_core.store.filters import checked_score
from diet_core.store.loading.datasets import read_version
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.examples import check_rankable
from diet_core.store.queries.texts import as_table, read_texts
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from diet_core.store.store import Store

# Characters of a text that a preview shows: forty rows of them stay far below a megabyte.
SHOWN_CHARACTERS: Final = 1_000
_SHOWN: Final = (
    f"CASE WHEN length({{0}}) > {SHOWN_CHARACTERS} THEN left({{0}}, {SHOWN_CHARACTERS}) || "
    f"format(' … [{{{{:,}}}} more characters]', length({{0}}) - {SHOWN_CHARACTERS}) ELSE {{0}} END"
)


@dataclass(frozen=True)
class RunExamples:
    """The scored examples of a run as read_arrays; their place in these arrays is their row.

    Attributes:
        dataset_id: The data set version.
        classes: The class names in the order of the class read_arrays.
        positions: Places in the data set version, ascending, shape (n_examples,).
        codes: Class read_arrays of the labels, shape (n_examples,).
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
    """The effective decisions on a data set version as read_arrays.

    Attributes:
        positions: Places of the examples in the version, shape (n,).
        actions: Places in `tables.DECISION_ACTIONS`, shape (n,).
        codes: Class read_arrays of the new labels, −1 where there is none, shape (n,).
    """

    positions: NDArray[np.int32]
    actions: NDArray[np.int8]
    codes: NDArray[np.int16]

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.positions)


def read_run_examples(store: Store, run_id: str) -> RunExamples:
    """Return the scored examples of a run, by their positions.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    info = read_run(store, run_id).dataset
    found = _by_position(
        read_arrays(
            store,
            "SELECT position, coalesce(code, -1)::SMALLINT AS code, tie "
            f"FROM scores LEFT JOIN ({_CODES}) USING (label) WHERE run_id = ?",
            [list(info.classes), len(info.classes), run_id],
        )
    )
    return RunExamples(info.dataset_id, info.classes, found["position"], found["code"], found["tie"])


def read_training_examples(store: Store, dataset_id: str) -> RunExamples:
    """Return the training examples of a data set version as a run that scored them all would have them.

    Without `ties`: nothing is drawn from them.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    classes = read_version(store, dataset_id).classes
    found = read_arrays(
        store,
        "SELECT position::INTEGER AS position, coalesce(code, -1)::SMALLINT AS code "
        f"FROM examples LEFT JOIN ({_CODES}) USING (label) "
        "WHERE dataset_id = ? AND split = 'train' ORDER BY position",
        [list(classes), len(classes), dataset_id],
    )
    return RunExamples(dataset_id, classes, found["position"], found["code"], np.zeros(0, np.uint64))


def read_ranked_values(store: Store, run_id: str, by: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return rank (1 = hardest) and value of each example of a run, as `read_run_examples` orders them.

    Raises:
        SettingError: If `by` is not a score or missing for some examples.
    """
    check_rankable(store, run_id, checked_score(by))
    columns = f"position, rank_{by} AS rank, {by} AS value"
    found = _by_position(read_arrays(store, f"SELECT {columns} FROM scores WHERE run_id = ?", [run_id]))
    return found["rank"], found["value"]


def count_predictions(store: Store, run_id: str) -> int:
    """Return of how many predictions `correctness` is the share: seeds times steps after step 0."""
    rows = store.rows(
        "SELECT count(*) FROM (SELECT DISTINCT seed, step FROM seed_scores WHERE run_id = ? AND step > 0)",
        [run_id],
    )
    return int(rows[0][0])


def find_last_event(store: Store, dataset_id: str) -> int:
    """Return the number of the last event on a data set version, 0 without any: what changed, changed it."""
    rows = store.rows(
        "SELECT coalesce(max(decision_id), 0) FROM decisions WHERE dataset_id = ?", [dataset_id]
    )
    return int(rows[0][0])


def read_decisions(store: Store, dataset_id: str) -> Decisions:
    """Return the effective decisions on a data set version.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    classes = read_version(store, dataset_id).classes
    found = read_arrays(
        store,
        f"""
        SELECT e.position::INTEGER AS position, (list_position(?, action) - 1)::TINYINT AS action,
               coalesce(code, -1)::SMALLINT AS code
        FROM consensus j
        JOIN examples e ON e.dataset_id = j.dataset_id AND e.example_id = j.example_id
        LEFT JOIN ({_CODES}) c ON c.label = j.label
        WHERE j.dataset_id = ? AND n_opinions = 1 ORDER BY position
        """,
        [list(DECISION_ACTIONS), list(classes), len(classes), dataset_id],
    )
    return Decisions(found["position"], found["action"], found["code"])


# Class names with their read_arrays; the two question marks are the names and how many there are.
_CODES: Final = "SELECT unnest(?::VARCHAR[]) AS label, unnest(range(?)) AS code"


def read_arrays(store: Store, sql: str, parameters: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of a query that has no nulls as arrays."""
    # By way of Arrow in a third of the time that the database takes to make arrays itself.
    table = store.table(sql, parameters)
    return {name: table[name].to_numpy() for name in table.column_names}


def _by_position(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return rows by their positions. Runs are stored so; to have SQL sort a million takes 50 ms more."""
    positions = columns["position"]
    if (positions[1:] > positions[:-1]).all():
        return columns
    order = np.argsort(positions, kind="stable")
    return {name: column[order] for name, column in columns.items()}


def read_source_examples(store: Store, dataset_id: str) -> pd.DataFrame:
    """Return the examples of a version without their texts: position, source_row, label, split."""
    return store.frame(
        "SELECT position, source_row, label, split FROM examples WHERE dataset_id = ? ORDER BY position",
        [dataset_id],
    )


def read_shown_texts(store: Store, dataset_id: str, positions: Sequence[int]) -> pd.DataFrame:
    """Return the texts of some examples, cut for the eye and saying so.

    Returns:
        Columns example_id, text and text_pair, the place in the data set version as index, in the order of
        `positions`.
    """
    return as_table(read_texts(store, dataset_id, positions, _SHOWN), positions)
