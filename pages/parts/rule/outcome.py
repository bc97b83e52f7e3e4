"""What the pages of rules keep in memory: a run's examples as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diet_core.pruning import outcome as pruning
from diet_core.pruning.outcome import Outcome, Ranked
from diet_core.rule import Rule
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries import run_arrays
from diet_core.store.queries.run_arrays import Decisions, RunExamples
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.store.store import Store


@store_cache(4, "Reading the examples …")
def run_examples(store: Store, run: RunRecord) -> RunExamples:
    """Return the scored examples of a run."""
    return run_arrays.read_run_examples(store, run.run_id)


@store_cache(8)
def ranked_examples(store: Store, run: RunRecord, by: str) -> Ranked:
    """Return the examples in the order of a score; read once, so that a slider moves at once."""
    return pruning.ranked(store, run_examples(store, run), run.run_id, by)


def decisions_of(store: Store, dataset_id: str) -> Decisions:
    """Return the effective decisions on a data set version; read again after every event on it."""
    return _decisions(store, dataset_id, run_arrays.find_last_event(store, dataset_id))


@store_cache(8)
def _decisions(store: Store, dataset_id: str, last: int) -> Decisions:
    return run_arrays.read_decisions(store, dataset_id)


@store_cache(64)
def n_predictions(store: Store, run: RunRecord) -> int:
    """Return of how many predictions the run's correctness is the share."""
    return run_arrays.count_predictions(store, run.run_id)


@store_cache(4)
def _random_order(store: Store, run: RunRecord, seed: int) -> NDArray[np.int32]:
    return pruning.draw(run_examples(store, run), seed)


def kept_by(store: Store, run: RunRecord, rule: Rule) -> NDArray[np.bool_]:
    """Return which examples of a run a rule keeps.

    Raises:
        SettingError: If nothing would be left.
    """
    order = _random_order(store, run, rule.seed) if rule.kind == "random" else None
    return pruning.kept_of(ranked_examples(store, run, rule.by), rule, order)


def outcome_of(store: Store, run: RunRecord, rule: Rule, decisions: Decisions | None) -> Outcome:
    """Return what is kept and what is dropped.

    Raises:
        SettingError: If nothing would be left.
    """
    return pruning.outcome(run_examples(store, run), kept_by(store, run, rule), decisions)
