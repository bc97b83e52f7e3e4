"""The audit of a data set version: a random sample of its training examples, frozen, and how far it is.

One audit per version: who may draw again until the result pleases has no random sample. It may grow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diet_core.errors import SettingError
from diet_core.scoring.statistics.audit import SIZE, audit_sample
from diet_core.store.loading.datasets import known_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from diet_core.store.store import Store


@dataclass(frozen=True)
class Audit:
    """A random sample of a data set version's training examples.

    Attributes:
        dataset_id: The version.
        seed: What it was drawn with.
        n_examples: How many training examples it was drawn from.
        example_ids: In the order in which they were drawn, which is the order of review.
    """

    dataset_id: str
    seed: int
    n_examples: int
    example_ids: tuple[str, ...]

    @property
    def queue_id(self) -> str:
        """The name of its queue, which decisions taken in it carry."""
        return _queue_id(self.dataset_id)


def start_audit(store: Store, dataset_id: str, size: int | None = None, seed: int | None = None) -> Audit:
    """Draw the sample of a version, or let it grow; asked for as it is, it stays as it is.

    Args:
        store: Where.
        dataset_id: The version.
        size: At least as large as it is; None = as it is, a new one 200. All examples where there are fewer.
        seed: None = as it is, a new one 0.

    Raises:
        NotFoundError: If there is no such version.
        SettingError: If the sample would shrink or be another one, or `size` is below 1.
    """
    known_version(store, dataset_id)
    with store.deciding:
        there = find_audit(store, dataset_id)
        if there is not None:
            _check_grows(there, size, seed)
        chosen = (seed or 0) if there is None else there.seed
        wanted = size if size is not None else len(there.example_ids) if there else SIZE
        train = _training_ids(store, dataset_id)
        drawn = Audit(dataset_id, chosen, len(train), tuple(audit_sample(train, wanted, chosen)))
        if drawn != there:
            _keep(store, drawn)
    return drawn


def find_audit(store: Store, dataset_id: str) -> Audit | None:
    """Return the audit of a version; None where none was started."""
    found = store.rows(
        "SELECT definition, example_ids FROM queues WHERE queue_id = ?", [_queue_id(dataset_id)]
    )
    if not found:
        return None
    definition = json.loads(found[0][0])
    return Audit(dataset_id, definition["seed"], definition["n_examples"], tuple(found[0][1]))


def audited_so_far(store: Store, sample: Audit) -> tuple[str, ...]:
    """Return the examples that the audit has come to: a random sample too, in the order of drawing.

    That is up to the last one that was decided within the audit, or up to the first undecided one, whichever
    is further. Those behind it that somebody decided elsewhere do not count yet: the decided ones of an
    unfinished sample are mostly the top of a ranking.
    """
    ids, decided = sample.example_ids, _decided(store, sample)
    within = {
        row[0]
        for row in store.rows(
            "SELECT DISTINCT example_id FROM decisions JOIN standing_decisions USING (decision_id, "
            "dataset_id, example_id) WHERE dataset_id = ? AND queue_id = ?",
            [sample.dataset_id, sample.queue_id],
        )
    }
    last_within = max((place for place, i in enumerate(ids, start=1) if i in within), default=0)
    first_open = next((place for place, i in enumerate(ids) if i not in decided), len(ids))
    return ids[: max(last_within, first_open)]


def list_audited(store: Store, sample: Audit) -> pd.DataFrame:
    """Return the examples of a sample in the order of drawing, with what people decided on them.

    Returns:
        Columns example_id, text, text_pair, label, decision (null, an action, or conflict) and new_label
        (null unless relabel).
    """
    return store.frame(
        """
        WITH drawn AS (SELECT unnest(?::VARCHAR[]) AS example_id, unnest(range(?)) AS place),
             judged AS (SELECT * FROM judged_examples WHERE dataset_id = ?)
        SELECT example_id, text, text_pair, e.label,
               CASE WHEN n_opinions > 1 THEN 'conflict' ELSE action END AS decision,
               CASE WHEN n_opinions = 1 THEN judged.label END AS new_label
        FROM drawn JOIN examples e USING (example_id) LEFT JOIN judged USING (example_id)
        WHERE e.dataset_id = ? ORDER BY place
        """,
        [list(sample.example_ids), len(sample.example_ids), sample.dataset_id, sample.dataset_id],
    )


def _queue_id(dataset_id: str) -> str:
    return f"audit {dataset_id}"


def _training_ids(store: Store, dataset_id: str) -> list[str]:
    return [
        row[0]
        for row in store.rows(
            "SELECT example_id FROM examples WHERE dataset_id = ? AND split = 'train'", [dataset_id]
        )
    ]


def _decided(store: Store, sample: Audit) -> set[str]:
    """Return those of the sample that somebody decided on, unsure ones included."""
    return {
        row[0]
        for row in store.rows(
            "SELECT example_id FROM judged_examples "
            "WHERE dataset_id = ? AND example_id IN (SELECT unnest(?::VARCHAR[]))",
            [sample.dataset_id, list(sample.example_ids)],
        )
    }


def _check_grows(there: Audit, size: int | None, seed: int | None) -> None:
    n = len(there.example_ids)
    if seed is not None and seed != there.seed:
        raise SettingError(
            f"The audit of {there.dataset_id} was drawn with seed {there.seed}, and there is one audit per "
            f"data set version. Leave out --seed {seed}, or make the sample larger with --size."
        )
    if size is not None and size < n:
        raise SettingError(
            f"The audit of {there.dataset_id} has {n} examples already, so it cannot have {size}. "
            "Leave out --size, or give a larger one."
        )


def _keep(store: Store, drawn: Audit) -> None:
    definition = {"kind": "audit", "seed": drawn.seed, "n_examples": drawn.n_examples}
    row: Sequence[object] = [drawn.queue_id, json.dumps(definition), list(drawn.example_ids)]
    with store.transaction() as cursor:
        cursor.execute("INSERT OR REPLACE INTO queues VALUES (?, ?, ?)", row)
