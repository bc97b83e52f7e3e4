"""Review queues: ids frozen in their order when a queue is opened, so that deciding never reshuffles it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from diet_core.errors import NotFoundError, SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.loading.ranks import RANKS
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.examples import build_where, check_rankable
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

# Which examples a source has: conditions on the rows of `scores`, bound to the data set version and reviewer.
SOURCES: Final = {
    "suspects": "{predicted} <> label",
    "highest": "true",
    "lowest": "true",
    "flagged": "example_id IN (SELECT example_id FROM flagged_examples WHERE dataset_id = ?)",
    "skipped": "example_id IN (SELECT example_id FROM skipped_examples "
    "WHERE dataset_id = ? AND reviewer = ?)",
}
_DECIDED: Final = "(SELECT example_id FROM active_decisions WHERE dataset_id = ?)"
STATUSES: Final = {
    "any": "true",
    "undecided": f"example_id NOT IN {_DECIDED}",
    "decided": f"example_id IN {_DECIDED}",
    "conflict": "example_id IN (SELECT example_id FROM consensus WHERE dataset_id = ? AND n_opinions > 1)",
}


@dataclass(frozen=True)
class QueueDefinition:
    """What a queue was opened with.

    Attributes:
        run_id: The run whose scores order it.
        source: suspects (the prediction is another class), highest or lowest (everything by a score, the
            hardest or the easiest first), flagged (by anybody), skipped (by the reviewer, not decided since).
        by: The score that orders it, hardest first but for lowest; None = the run's suspicion.
        filter: Only examples that pass; predictions are out of fold where the run has folds.
        status: any, undecided, decided or conflict.
        reviewer: Whose skips; no part of any other source.
    """

    run_id: str
    source: str = "suspects"
    by: str | None = None
    filter: ExampleFilter = field(default_factory=ExampleFilter)
    status: str = "any"
    reviewer: str = ""

    def __post_init__(self) -> None:
        """Check the names, which choose the SQL."""
        for name, value, known in (("source", self.source, SOURCES), ("status", self.status, STATUSES)):
            if value not in known:
                raise SettingError(f"The queue's {name} is {value!r}. Choose one of: {', '.join(known)}.")
        if self.by is not None:
            checked_score(self.by)


@dataclass(frozen=True)
class Queue:
    """A frozen queue.

    Attributes:
        queue_id: Its name, made of what it was opened with and what it holds.
        definition: What it was opened with.
        example_ids: In the order of review.
    """

    queue_id: str
    definition: QueueDefinition
    example_ids: tuple[str, ...]


@dataclass(frozen=True)
class QueueProgress:
    """How far a queue is decided, whoever decided.

    Attributes:
        n_all: Examples in the queue.
        n_decided: Those that somebody decided on, unsure ones included.
        n_changed: Those that will be dropped or get another label.
        n_conflicts: Those whose reviewers disagree.
    """

    n_all: int
    n_decided: int
    n_changed: int
    n_conflicts: int


@dataclass(frozen=True)
class NextUndecided:
    """The next undecided examples of a queue.

    Attributes:
        example_ids: From the place asked for on, then from the queue's beginning, then those that the
            reviewer skipped; as many as asked for.
        n_undecided: In the whole queue.
    """

    example_ids: tuple[str, ...]
    n_undecided: int


def open_queue(store: Store, definition: QueueDefinition) -> Queue:
    """Freeze the examples that a definition has now; the same ones once more are the same queue.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If the score that orders it is missing for some examples.
    """
    run = read_run(store, definition.run_id)
    definition = _normal(definition, run)
    by = definition.by or run.suspicion
    check_rankable(store, run.run_id, by)
    sql, values = _selection(store, definition, run, by)
    ids = store.frame(sql, values)["example_id"].tolist()
    text = json.dumps(_as_json(definition), sort_keys=True)
    queue = Queue(_queue_id(text, ids), definition, tuple(ids))
    _keep(store, queue, text, ids)
    return queue


def find_queue(store: Store, queue_id: str) -> Queue:
    """Return a queue as it was frozen.

    Raises:
        NotFoundError: If there is none of that name.
    """
    rows = store.rows("SELECT definition FROM queues WHERE queue_id = ?", [queue_id])
    if not rows or not queue_id.startswith("q-"):
        raise NotFoundError(f"There is no queue {queue_id!r} in this workspace. Open Review anew.")
    fields = json.loads(rows[0][0])
    definition = QueueDefinition(**{**fields, "filter": ExampleFilter(**fields["filter"])})
    ids = store.frame("SELECT unnest(example_ids) AS example_id FROM queues WHERE queue_id = ?", [queue_id])
    return Queue(queue_id, definition, tuple(ids["example_id"].tolist()))


def read_progress(store: Store, queue: Queue) -> QueueProgress:
    """Return how much of a queue is decided."""
    counts = store.rows(
        f"""
        WITH {FROZEN}, {CONSENSUS}
        SELECT count(*), count(decided.example_id),
               count(*) FILTER (WHERE n_opinions = 1 AND action IN ('drop', 'relabel')),
               count(*) FILTER (WHERE n_opinions > 1)
        FROM frozen LEFT JOIN decided USING (example_id)
        """,
        [queue.queue_id, queue.definition.run_id],
    )[0]
    return QueueProgress(*counts)


def list_next_undecided(
    store: Store, queue_id: str, dataset_id: str, *, position: int = 0, reviewer: str = "", limit: int = 100
) -> NextUndecided:
    """Return the next examples of a frozen queue that nobody has decided on.

    Args:
        store: Where.
        queue_id: A row of the table `queues`; an unknown one is empty.
        dataset_id: The data set version of its examples.
        position: 0-based place in the queue to begin at; the place itself counts.
        reviewer: Whose skipped examples come last.
        limit: How many.
    """
    # An example is decided by any active decision; whose and which does not matter here, and the views that
    # tell take three times as long. A skip of an undecided example is still active.
    rows = store.rows(
        f"""
        WITH {FROZEN},
        decided AS (
            SELECT example_id FROM active_events WHERE dataset_id = ? AND action IN (SELECT unnest(?))
        ),
        skipped AS (
            SELECT example_id FROM active_events
            WHERE dataset_id = ? AND action = 'skip' AND reviewer = ?
        )
        SELECT example_id, count(*) OVER () FROM frozen ANTI JOIN decided USING (example_id)
        ORDER BY example_id IN (SELECT example_id FROM skipped), place < ?, place LIMIT ?
        """,
        [queue_id, dataset_id, list(DECISION_ACTIONS), dataset_id, reviewer, position, limit],
    )
    return NextUndecided(tuple(row[0] for row in rows), int(rows[0][1]) if rows else 0)


def find_places_in_queue(store: Store, queue_id: str, example_ids: Sequence[str]) -> dict[str, int]:
    """Return the 0-based places of examples in a queue, of those that are in it."""
    rows = store.rows(
        f"""
        WITH {FROZEN}
        SELECT example_id, place FROM frozen WHERE example_id IN (SELECT unnest(?::VARCHAR[]))
        """,
        [queue_id, list(example_ids)],
    )
    return {example_id: int(place) for example_id, place in rows}


# A queue's rows and what people decided on its data set; values: the queue's id, its run's.
FROZEN: Final = """frozen AS (
    SELECT unnest(example_ids) AS example_id, unnest(range(len(example_ids))) AS place
    FROM queues WHERE queue_id = ?
)"""
CONSENSUS: Final = """decided AS (
    SELECT * FROM consensus WHERE dataset_id = (SELECT dataset_id FROM runs WHERE run_id = ?)
)"""


def _as_json(definition: QueueDefinition) -> dict[str, Any]:
    """Return a definition as JSON has it; what came later is left out where empty, for the ids' sake."""
    content = asdict(definition)
    if not content["filter"]["ranges"]:
        del content["filter"]["ranges"]
    return content


def _normal(definition: QueueDefinition, run: RunRecord) -> QueueDefinition:
    """Return a definition without what makes no difference."""
    reviewer = definition.reviewer if definition.source == "skipped" else ""
    return replace(
        definition, reviewer=reviewer, filter=replace(definition.filter, out_of_fold=run.has_folds)
    )


def _selection(store: Store, definition: QueueDefinition, run: RunRecord, by: str) -> tuple[str, list[Any]]:
    """Return the query of a definition's ids in their order, and its values."""
    dataset_id = run.dataset.dataset_id
    where, values = build_where(store, run.run_id, definition.filter)
    predicted = "predicted_label_oof" if run.has_folds else "predicted_label"
    of_source = SOURCES[definition.source].format(predicted=predicted)
    of_status = STATUSES[definition.status]
    values += [dataset_id, definition.reviewer][: of_source.count("?")]
    values += [dataset_id] * of_status.count("?")
    order = f"{RANKS[by]} {'DESC' if definition.source == 'lowest' else 'ASC'}"
    where = f"{where} AND {of_source} AND {of_status}"
    return f"SELECT example_id FROM scores WHERE {where} ORDER BY {order}", values


def _queue_id(definition: str, ids: list[str]) -> str:
    content = json.dumps([definition, ids]).encode()
    return f"q-{hashlib.blake2b(content, digest_size=6).hexdigest()}"


def _keep(store: Store, queue: Queue, definition: str, ids: list[str]) -> None:
    """Store a queue; as an Arrow table, because a million ids as a parameter take seconds."""
    lists = pa.ListArray.from_arrays(pa.array([0, len(ids)], pa.int32()), pa.array(ids, pa.string()))
    table = pa.table({"queue_id": [queue.queue_id], "definition": [definition], "example_ids": lists})
    with store.deciding, store.transaction() as cursor:
        if not cursor.execute("SELECT 1 FROM queues WHERE queue_id = ?", [queue.queue_id]).fetchall():
            store.insert(cursor, "queues", table)
