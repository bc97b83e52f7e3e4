"""How fast a reviewer decides, and how many of the decided examples were errors along a queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from diet_core.store.clock import now
from diet_core.store.decisions.queues import CONSENSUS, FROZEN, Queue
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from diet_core.store.store import Store

DAY: Final = timedelta(hours=24)
PAUSE: Final = timedelta(minutes=5)  # a longer one ends a session
MIN_DECISIONS: Final = 5  # fewer tell no pace
MAX_BLOCKS: Final = 200


def read_pace(store: Store, dataset_id: str, reviewer: str) -> dict[str, Any]:
    """Return how much a reviewer decides; what was taken back does not count, and a batch counts once.

    Returns:
        today: decisions in the last 24 hours; per_hour: decisions an hour in the latest session, which a
        pause of more than five minutes ends (None with fewer than five decisions in it).
    """
    rows = store.rows(
        """
        SELECT max(decided_at) AS latest FROM active_events
        WHERE dataset_id = ? AND reviewer = ? AND action IN (SELECT unnest(?)) AND decided_at > ?
        GROUP BY coalesce(batch_id, decision_id::VARCHAR) ORDER BY latest
        """,
        [dataset_id, reviewer, list(DECISION_ACTIONS), now() - DAY],
    )
    times = [row[0] for row in rows]
    return {"today": len(times), "per_hour": decisions_per_hour(times)}


def decisions_per_hour(times: list[datetime]) -> float | None:
    """Return the decisions an hour of the latest session.

    Args:
        times: Of each decision, rising.

    Returns:
        Intervals between decisions over the time that they took; None with fewer than five decisions, or
        where they took no time.

    >>> noon = datetime(2026, 11, 22, 12)
    >>> decisions_per_hour([noon + timedelta(seconds=30 * i) for i in range(5)])
    120.0
    """
    begins = max((i for i in range(1, len(times)) if times[i] - times[i - 1] > PAUSE), default=0)
    session = times[begins:]
    if len(session) < MIN_DECISIONS or session[-1] == session[0]:
        return None
    return (len(session) - 1) / ((session[-1] - session[0]) / timedelta(hours=1))


def read_confirmed_curve(store: Store, queue: Queue, block: int = 20) -> list[dict[str, int]]:
    """Return how many of the decided examples turned out as errors, along a queue.

    Args:
        store: Where.
        queue: The queue.
        block: Examples to count together.

    Returns:
        Per block with decided examples, at most the first 200: from_rank, to_rank (1 = the first of the
        queue), n_decided, n_confirmed (relabelled or dropped, and nobody disagrees).
    """
    rows = store.rows(
        f"""
        WITH {FROZEN}, {CONSENSUS}, n AS (SELECT count(*) AS n_all FROM frozen)
        SELECT place // ? * ? + 1, least((place // ? + 1) * ?, n_all), count(*),
               count(*) FILTER (WHERE n_opinions = 1 AND action IN ('drop', 'relabel'))
        FROM frozen JOIN decided USING (example_id), n
        GROUP BY ALL ORDER BY 1 LIMIT {MAX_BLOCKS}
        """,
        [queue.queue_id, queue.definition.run_id, block, block, block, block],
    )
    columns = ("from_rank", "to_rank", "n_decided", "n_confirmed")
    return [dict(zip(columns, row, strict=True)) for row in rows]
