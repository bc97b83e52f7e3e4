"""The audit of a data set version: a frozen random sample of its training examples, and what it says.

One audit per version: who may draw again until the result pleases has no random sample. It may grow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from diet_core.errors import SettingError
from diet_core.scoring.statistics.audit import (
    SIZE,
    Estimate,
    audit_sample,
    errors_left,
    share_of_errors,
    unbroken,
)
from diet_core.selection.shares import share_of
from diet_core.store.loading.datasets import read_version
from diet_core.store.loading.ranks import TIE_ORDER
from diet_core.store.loading.runs import read_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

# Shares of the ranking: how many errors are left below each.
DEPTHS: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


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


@dataclass(frozen=True)
class AuditResult:
    """What a random sample says of the labels, as far as it is reviewed.

    Attributes:
        n_examples: Training examples in all.
        n_sample: Examples in the sample.
        n_audited: Those that the audit has come to.
        n_errors: Those of them whose label people changed, or which they dropped.
        n_unclear: Those of them without a clear answer: unsure, in conflict, or skipped. They do not count.
        share: Share of errors in all training examples; among `n_audited - n_unclear`.
        reviewed_to: The rank up to which everything is decided, along the run's ranking; 0 = not begun.
        left: Per rank, `reviewed_to` among them: errors below it that nobody has found yet.
        model_guess: The sum of the run's suspicion: what the model would expect. A hint at most.
    """

    n_examples: int
    n_sample: int
    n_audited: int
    n_errors: int
    n_unclear: int
    share: Estimate
    reviewed_to: int
    left: dict[int, Estimate]
    model_guess: float | None


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
    read_version(store, dataset_id)
    with store.deciding:
        there = find_audit(store, dataset_id)
        if there is not None:
            _check_grows(there, size, seed)
        chosen = (seed or 0) if there is None else there.seed
        wanted = size if size is not None else len(there.example_ids) if there else SIZE
        train = _ids(
            store, "SELECT example_id FROM examples WHERE dataset_id = ? AND split = 'train'", [dataset_id]
        )
        drawn = Audit(dataset_id, chosen, len(train), tuple(audit_sample([*train], wanted, chosen)))
        if drawn != there:
            _keep(store, drawn)
    return drawn


def find_audit(store: Store, dataset_id: str) -> Audit | None:
    """Return the audit of a version; None where none was started."""
    sql = "SELECT definition, example_ids FROM queues WHERE queue_id = ?"
    for definition, ids in store.rows(sql, [_queue_id(dataset_id)]):
        fields = json.loads(definition)
        return Audit(dataset_id, fields["seed"], fields["n_examples"], tuple(ids))
    return None


def list_audited_so_far(store: Store, sample: Audit) -> tuple[str, ...]:
    """Return the examples that the audit has come to: a random sample too, in the order of drawing.

    That is up to the last one that was decided within the audit, or up to the first undecided one, whichever
    is further. Those behind it that somebody decided elsewhere do not count yet: the decided ones of an
    unfinished sample are mostly the top of a ranking.
    """
    ids = sample.example_ids
    decided = _ids(
        store,
        "SELECT example_id FROM consensus "
        "WHERE dataset_id = ? AND example_id IN (SELECT unnest(?::VARCHAR[]))",
        [sample.dataset_id, list(ids)],
    )
    within = _ids(
        store,
        "SELECT example_id FROM decisions JOIN active_decisions USING (decision_id, dataset_id, example_id) "
        "WHERE dataset_id = ? AND queue_id = ?",
        [sample.dataset_id, sample.queue_id],
    )
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
             decided AS (SELECT * FROM consensus WHERE dataset_id = ?)
        SELECT example_id, text, text_pair, e.label,
               CASE WHEN n_opinions > 1 THEN 'conflict' ELSE action END AS decision,
               CASE WHEN n_opinions = 1 THEN decided.label END AS new_label
        FROM drawn JOIN examples e USING (example_id) LEFT JOIN decided USING (example_id)
        WHERE e.dataset_id = ? ORDER BY place
        """,
        [list(sample.example_ids), len(sample.example_ids), sample.dataset_id, sample.dataset_id],
    )


def read_audit_result(store: Store, run_id: str) -> AuditResult | None:
    """Return what the audit of a run's data set version says; None where none was started.

    An error is an example that people relabelled or dropped (a text that is of no use has no right label),
    no error is one that they kept.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    run = read_run(store, run_id)
    sample = find_audit(store, run.dataset.dataset_id)
    if sample is None:
        return None
    audited_ids = list_audited_so_far(store, sample)
    decided = _read_decided(store, run)
    decided["is_audited"] = decided["example_id"].isin(audited_ids)
    known = decided[decided["is_clear"]]
    audited = known[known["is_audited"]]
    n_errors = int(audited["is_error"].sum())
    n_ranked, guess = _ranked(store, run)
    reviewed_to = unbroken(decided["rank"].dropna())
    return AuditResult(
        n_examples=sample.n_examples,
        n_sample=len(sample.example_ids),
        n_audited=len(audited_ids),
        n_errors=n_errors,
        n_unclear=len(audited_ids) - len(audited),
        share=share_of_errors(n_errors, len(audited), sample.n_examples),
        reviewed_to=reviewed_to,
        left=_left(known.dropna(subset="rank"), n_ranked, reviewed_to),
        model_guess=guess,
    )


def _queue_id(dataset_id: str) -> str:
    return f"audit {dataset_id}"


def _ids(store: Store, sql: str, parameters: Sequence[object]) -> set[str]:
    return {example_id for (example_id,) in store.rows(sql, parameters)}


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
    with store.transaction() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO queues VALUES (?, ?, ?)",
            [drawn.queue_id, json.dumps(definition), list(drawn.example_ids)],
        )


def _left(known: pd.DataFrame, n_ranked: int, reviewed_to: int) -> dict[int, Estimate]:
    if not n_ranked:
        return {}
    depths = sorted({reviewed_to, *(share_of(depth, n_ranked) for depth in DEPTHS)})
    columns = [known[name] for name in ("rank", "is_error", "is_audited")]
    return {depth: errors_left(depth, n_ranked, *columns) for depth in depths}


def _read_decided(store: Store, run: RunRecord) -> pd.DataFrame:
    """Return what is decided: example_id, is_clear, is_error, rank (null if the run did not score it)."""
    return store.frame(
        f"""
        WITH ranked AS (
            SELECT example_id, row_number() OVER (ORDER BY {run.suspicion} DESC, {TIE_ORDER}) AS rank
            FROM scores WHERE run_id = ? AND {run.suspicion} IS NOT NULL
        )
        SELECT example_id, n_opinions = 1 AND action <> 'unsure' AS is_clear,
               action IN ('drop', 'relabel') AS is_error, rank
        FROM consensus LEFT JOIN ranked USING (example_id) WHERE dataset_id = ?
        """,
        [run.run_id, run.dataset.dataset_id],
    )


def _ranked(store: Store, run: RunRecord) -> tuple[int, float | None]:
    """Return how many examples the run ranks, and the sum of their suspicion."""
    n, guess = store.rows(
        f"SELECT count({run.suspicion}), sum({run.suspicion}) FROM scores WHERE run_id = ?", [run.run_id]
    )[0]
    return int(n), guess
