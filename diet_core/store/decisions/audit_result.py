"""What the audit of a data set version says, with a run's ranking: how many errors, and how many are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from diet_core.scoring.statistics.audit import Estimate, errors_left, share_of_errors, unbroken
from diet_core.selection.shares import share_of
from diet_core.store.decisions.audit import audited_so_far, find_audit
from diet_core.store.loading.runs import read_run

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

# Shares of the ranking below which the errors are told.
DEPTHS: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


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
    come_to = audited_so_far(store, sample)
    judged = _judged(store, run)
    judged["is_audited"] = judged["example_id"].isin(come_to)
    known = judged[judged["is_clear"]]
    audited = known[known["is_audited"]]
    n_errors = int(audited["is_error"].sum())
    n_ranked, guess = _ranked(store, run)
    reviewed_to = unbroken(judged["rank"].dropna())
    return AuditResult(
        n_examples=sample.n_examples,
        n_sample=len(sample.example_ids),
        n_audited=len(come_to),
        n_errors=n_errors,
        n_unclear=len(come_to) - len(audited),
        share=share_of_errors(n_errors, len(audited), sample.n_examples),
        reviewed_to=reviewed_to,
        left=_left(known.dropna(subset="rank"), n_ranked, reviewed_to),
        model_guess=guess,
    )


def _left(known: pd.DataFrame, n_ranked: int, reviewed_to: int) -> dict[int, Estimate]:
    if not n_ranked:
        return {}
    depths = sorted({reviewed_to, *(share_of(depth, n_ranked) for depth in DEPTHS)})
    columns = [known[name] for name in ("rank", "is_error", "is_audited")]
    return {depth: errors_left(depth, n_ranked, *columns) for depth in depths}


def _judged(store: Store, run: RunRecord) -> pd.DataFrame:
    """Return what is decided: example_id, is_clear, is_error, rank (null if the run did not score it)."""
    return store.frame(
        f"""
        WITH ranked AS (
            SELECT example_id, row_number() OVER (ORDER BY {run.suspicion} DESC, tie, example_id) AS rank
            FROM scores WHERE run_id = ? AND {run.suspicion} IS NOT NULL
        )
        SELECT example_id, n_opinions = 1 AND action <> 'unsure' AS is_clear,
               action IN ('drop', 'relabel') AS is_error, rank
        FROM judged_examples LEFT JOIN ranked USING (example_id) WHERE dataset_id = ?
        """,
        [run.run_id, run.dataset.dataset_id],
    )


def _ranked(store: Store, run: RunRecord) -> tuple[int, float | None]:
    """Return how many examples the run ranks, and the sum of their suspicion."""
    n, guess = store.rows(
        f"SELECT count({run.suspicion}), sum({run.suspicion}) FROM scores WHERE run_id = ?", [run.run_id]
    )[0]
    return int(n), guess
