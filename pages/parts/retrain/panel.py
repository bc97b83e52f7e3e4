"""Start a plan: a selection or a sweep beside its baselines, in the background."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.encoders import FROZEN
from diet_core.errors import SettingError
from diet_core.experiments.arms import Arm, share_kept
from diet_core.experiments.plan import Plan, lay_out_plan
from diet_core.pruning.outcome import Outcome
from diet_core.rule import Rule
from diet_core.runs import executor
from diet_core.runs.cost import GUESS, duration_in_words
from diet_core.runs.folder import find_run_folder
from diet_core.store.decisions.decisions import list_effective_decisions
from diet_core.store.loading.datasets import list_datasets
from diet_core.store.loading.runs import RunRecord
from pages.parts.retrain.arms import chosen_arms
from pages.parts.retrain.terms import Terms, chosen_terms
from pages.shared.address import write_url
from pages.shared.durations import retraining_seconds
from pages.shared.errors import error_box, plain
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.store.store import Store


def retrain_panel(store: Store, run: RunRecord, rule: Rule, outcome: Outcome, with_decisions: bool) -> None:
    """Draw the settings and the button; a click starts the run and names it in the URL."""
    st.write(
        "Train new models on the kept examples and compare them with the baselines on the same test split. "
        "It runs in the background; you can leave the page or close the browser."
    )
    # A fragment, so that its settings draw neither histogram nor tables again.
    st.fragment(_panel)(store, run, rule, outcome, with_decisions)


def _panel(store: Store, run: RunRecord, rule: Rule, outcome: Outcome, with_decisions: bool) -> None:
    with error_box(), st.container(border=True):
        arms, settings = _arms(store, run, rule), st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            start = st.container(horizontal=True, vertical_alignment="center", width="stretch")
            more = st.popover("More", icon=":material/tune:", key="more terms", width="content")
        with settings:
            terms = chosen_terms(run, more)
        with start:
            icon = ":material/model_training:"
            is_wanted = st.button("Retrain", type="primary", icon=icon, key="retrain it", disabled=not arms)
            if arms:
                st.caption(_cost_in_words(store, run, arms, terms, outcome), width="content")
            if run.encoder == FROZEN:
                st.caption("Only heads are trained: the scoring run's encoder stayed frozen.")
        if is_wanted and arms:
            _start(store, run, arms, terms, with_decisions)


def _arms(store: Store, run: RunRecord, rule: Rule) -> tuple[Arm, ...]:
    """Return the arms; none, and the reason in a box, where they cannot be trained."""
    try:
        return chosen_arms(store, run, rule)
    except SettingError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return ()


def _cost_in_words(store: Store, run: RunRecord, arms: Sequence[Arm], terms: Terms, outcome: Outcome) -> str:
    """Return how many trainings there will be, and how long they take where that is known."""
    evaluating = round((terms.curve or terms.epochs) * _n_test(store, run) / GUESS.scoring)
    sizes = _sizes(arms, terms, len(outcome.is_kept), outcome.n_kept)
    passes = [size * terms.epochs + evaluating for size in sizes]
    seconds = retraining_seconds(store, run, passes, terms.repeats)
    most = "at most " if terms.reuse else ""  # which trainings are reused is known when the run starts
    time = f"; at the speed of the scoring run: {most}{duration_in_words(seconds)}" if seconds else ""
    return f"{terms.repeats * len(arms):,} trainings{time}."


@store_cache(64)
def _n_test(store: Store, run: RunRecord) -> int:
    """Return how many test examples the run's data set version has."""
    return next((d.n_test for d in list_datasets(store) if d.info.dataset_id == run.dataset.dataset_id), 0)


def _sizes(arms: Sequence[Arm], terms: Terms, n: int, n_kept: int) -> list[int]:
    """Return how many examples an epoch of each arm trains on; `n_kept` are those of the shown rule."""
    if terms.budget == "steps":
        return [n] * len(arms)
    by_name = {arm.name: arm for arm in arms}
    is_sweep = "selected" not in by_name and "dynamic" not in by_name
    sizes = []
    for arm in arms:
        like = by_name[arm.like] if arm.like else arm
        share = share_kept(like.rule) if like.rule and is_sweep else None
        sizes.append(n if arm.kind == "full" else n_kept if share is None else round(share * n))
    return sizes


def _start(store: Store, run: RunRecord, arms: tuple[Arm, ...], terms: Terms, with_decisions: bool) -> None:
    """Lay the run out, start its worker and open it on this page."""
    with st.spinner("Starting …"):
        scored = find_run_folder(store.workspace, run.run_id, "score")
        decisions = list_effective_decisions(store, run.dataset.dataset_id) if with_decisions else None
        of_plan = dataclasses.asdict(terms)
        reuse = of_plan.pop("reuse")
        plan = Plan(arms=arms, **of_plan)
        folder = lay_out_plan(store.workspace, scored, plan, decisions=decisions, reuse=reuse)
        executor.start(folder)
    st.session_state["retrain"] = folder.run_id
    write_url("retrain", folder.run_id)
    st.rerun()
