"""What the pages of rules keep in memory: a run's examples as numbers. A run never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from diet_core.pruning.cuts import Group
    from diet_core.pruning.outcome import Outcome, Ranked
    from diet_core.rule import Rule
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.queries.run_arrays import Decisions, RunExamples
    from diet_core.store.store import Store


def run_examples(store: Store, run: RunRecord) -> RunExamples:
    """Return the scored examples of a run."""
    return _examples(str(store.workspace.root), run.run_id, store)


def ranked_examples(store: Store, run: RunRecord, by: str) -> Ranked:
    """Return the examples in the order of a score; read once, so that a slider moves at once."""
    return _ranked(str(store.workspace.root), run.run_id, by, store)


def decisions_of(store: Store, dataset_id: str) -> Decisions:
    """Return the effective decisions on a data set version; read anew after every event on it."""
    from diet_core.store.queries.run_arrays import find_last_event

    last = find_last_event(store, dataset_id)
    return _decisions(str(store.workspace.root), dataset_id, last, store)


def n_predictions(store: Store, run: RunRecord) -> int:
    """Return of how many predictions the run's correctness is the share."""
    return _n_predictions(str(store.workspace.root), run.run_id, store)


def kept_by(store: Store, run: RunRecord, rule: Rule) -> Any:
    """Return which examples of a run a rule keeps.

    Raises:
        SettingError: If nothing would be left.
    """
    from diet_core.pruning.outcome import kept_of

    drawn = None
    if rule.kind == "random":
        drawn = _drawn(str(store.workspace.root), run.run_id, rule.seed, store)
    return kept_of(ranked_examples(store, run, rule.by), rule, drawn)


def outcome_of(store: Store, run: RunRecord, rule: Rule, decisions: Decisions | None) -> Outcome:
    """Return what stays and what goes.

    Raises:
        SettingError: If nothing would be left.
    """
    from diet_core.pruning.outcome import outcome

    return outcome(run_examples(store, run), kept_by(store, run, rule), decisions)


def cut_groups(ranked: Ranked, rule: Rule, outcome: Outcome) -> list[Group]:
    """Return what a rule cuts and where; nothing for a random rule."""
    from diet_core.pruning.cuts import groups_of

    return groups_of(ranked, rule, outcome.by_rule)


# Resources and not data: nothing changes these arrays, and a copy per rerun would cost more than the count.
@st.cache_resource(show_spinner="Reading the examples …", max_entries=4)
def _examples(root: str, run_id: str, _store: Store) -> RunExamples:
    from diet_core.store.queries.run_arrays import read_run_examples

    return read_run_examples(_store, run_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def _ranked(root: str, run_id: str, by: str, _store: Store) -> Ranked:
    from diet_core.pruning.outcome import ranked

    return ranked(_store, _examples(root, run_id, _store), run_id, by)


@st.cache_resource(show_spinner=False, max_entries=4)
def _drawn(root: str, run_id: str, seed: int, _store: Store) -> Any:
    from diet_core.pruning.outcome import draw

    return draw(_examples(root, run_id, _store), seed)


@st.cache_resource(show_spinner=False, max_entries=8)
def _decisions(root: str, dataset_id: str, last: int, _store: Store) -> Decisions:
    from diet_core.store.queries.run_arrays import read_decisions

    return read_decisions(_store, dataset_id)


@st.cache_resource(show_spinner=False, max_entries=64)
def _n_predictions(root: str, run_id: str, _store: Store) -> int:
    from diet_core.store.queries.run_arrays import count_predictions

    return count_predictions(_store, run_id)
