"""What a reviewer will see next: the undecided examples of a frozen queue, from where the reviewer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diet_core.store.decisions.queues import FROZEN
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diet_core.store.store import Store


@dataclass(frozen=True)
class Ahead:
    """The next undecided examples of a queue.

    Attributes:
        example_ids: From the place asked for on, then from the queue's beginning, then those that the
            reviewer skipped; as many as asked for.
        n_undecided: In the whole queue.
    """

    example_ids: tuple[str, ...]
    n_undecided: int


def next_undecided(
    store: Store, queue_id: str, dataset_id: str, *, position: int = 0, reviewer: str = "", limit: int = 100
) -> Ahead:
    """Return the next examples of a frozen queue that nobody has decided on.

    Args:
        store: Where.
        queue_id: A row of the table `queues`; an unknown one is empty.
        dataset_id: The data set version of its examples.
        position: 0-based place in the queue to begin at; the place itself counts.
        reviewer: Whose skipped examples come last.
        limit: How many.
    """
    # An example is decided where any decision on it stands; whose and which does not matter here, and the
    # views that say so take three times as long. Of what nobody decided on, a standing skip is not over.
    rows = store.rows(
        f"""
        WITH {FROZEN},
        decided AS (
            SELECT example_id FROM standing_events WHERE dataset_id = ? AND action IN (SELECT unnest(?))
        ),
        skipped AS (
            SELECT example_id FROM standing_events
            WHERE dataset_id = ? AND action = 'skip' AND reviewer = ?
        )
        SELECT example_id, count(*) OVER () FROM frozen ANTI JOIN decided USING (example_id)
        ORDER BY example_id IN (SELECT example_id FROM skipped), place < ?, place LIMIT ?
        """,
        [queue_id, dataset_id, list(DECISION_ACTIONS), dataset_id, reviewer, position, limit],
    )
    return Ahead(tuple(row[0] for row in rows), int(rows[0][1]) if rows else 0)


def places_in_queue(store: Store, queue_id: str, example_ids: Sequence[str]) -> dict[str, int]:
    """Return the 0-based places of examples in a queue, of those that are in it."""
    rows = store.rows(
        f"""
        WITH {FROZEN}
        SELECT example_id, place FROM frozen WHERE example_id IN (SELECT unnest(?::VARCHAR[]))
        """,
        [queue_id, list(example_ids)],
    )
    return {example_id: int(place) for example_id, place in rows}
