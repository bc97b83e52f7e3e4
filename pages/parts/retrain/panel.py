"""Start a plan: a selection or a sweep beside its baselines, in the background."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.encoders import FROZEN
from diet_core.errors import SettingError
from diet_core.runs.cost import duration_in_words
from diet_core.store.decisions.decisions import list_effective_decisions
from pages.parts.retrain.arms import chosen_arms
from pages.parts.retrain.price import estimated_time
from pages.parts.retrain.terms import chosen_terms
from pages.shared.errors import error_box, plain

if TYPE_CHECKING:
    from diet_core.experiments.arms import Arm
    from diet_core.pruning.outcome import Outcome
    from diet_core.rule import Rule
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store
    from pages.parts.retrain.terms import Terms


def retrain_panel(store: Store, run: RunRecord, rule: Rule, outcome: Outcome, with_decisions: bool) -> None:
    """Draw the settings and the button; a click starts the run and names it in the address."""
    st.write(
        "Train new models on what stays and compare them with the baselines on the same test split. "
        "It runs in the background; leave the page or close the browser as you like."
    )
    # A fragment, so that its settings draw neither histogram nor tables anew.
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
            is_wanted = st.button(
                "Retrain",
                type="primary",
                icon=":material/model_training:",
                key="retrain it",
                disabled=not arms,
            )
            if arms:
                n = len(outcome.is_kept)
                _price(estimated_time(store, run, arms, terms, n, outcome.n_kept), arms, terms)
            if run.encoder == FROZEN:
                st.caption("They train heads alone: the scoring run's encoder stayed frozen.")
        if is_wanted and arms:
            _start(store, run, arms, terms, with_decisions)


def _arms(store: Store, run: RunRecord, rule: Rule) -> tuple[Arm, ...]:
    """Return the arms; none, and the reason in a box, where they cannot be."""
    try:
        return chosen_arms(store, run, rule)
    except SettingError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return ()


def _price(seconds: float | None, arms: tuple[Arm, ...], terms: Terms) -> None:
    """Draw how many trainings there will be, and how long they take where that is known."""
    most = "at most " if terms.reuse else ""  # what will be taken over is looked for when the run starts
    took = f"; at the speed of the scoring run: {most}{duration_in_words(seconds)}" if seconds else ""
    st.caption(f"{terms.repeats * len(arms):,} trainings{took}.", width="content")


def _start(store: Store, run: RunRecord, arms: tuple[Arm, ...], terms: Terms, with_decisions: bool) -> None:
    """Lay the run out, start its worker and open it on this page."""
    from diet_core.experiments.plan import Plan, lay_out_plan
    from diet_core.runs import executor
    from diet_core.runs.folder import find_run_folder

    with st.spinner("Starting …"):
        scored = find_run_folder(store.workspace, run.run_id, "score")
        decisions = list_effective_decisions(store, run.dataset.dataset_id) if with_decisions else None
        of_plan = dataclasses.asdict(terms)
        reuse = of_plan.pop("reuse")
        plan = Plan(arms=arms, **of_plan)
        folder = lay_out_plan(store.workspace, scored, plan, decisions=decisions, reuse=reuse)
        executor.start(folder)
    st.session_state["retrain"] = folder.run_id
    st.query_params["retrain"] = folder.run_id
    st.rerun()
