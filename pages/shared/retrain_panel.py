"""Start a retraining: the selection beside its baselines, in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.encoders import FROZEN
from pages.shared.words import about

if TYPE_CHECKING:
    from diet_core.jobs.pruning import Outcome
    from diet_core.rule import Rule
    from diet_core.store import RunRecord, Store

_BASELINES = {"random": "Random, same size", "full": "All examples"}
_BUDGETS = {"epochs": "Equal epochs", "steps": "Equal steps"}
_REPEATS_HELP = "Trainings per arm, each with its own seed. Three show the spread, one cannot tell chance."
_BASELINES_HELP = (
    "Random: as many examples as the selection, drawn afresh for each repeat (per class if the rule is). "
    "Without it nobody can say whether the score chose well or fewer examples were simply enough."
)
_EPOCHS_HELP = "Passes over the training examples. At first as many as the scoring run made."
_BUDGET_HELP = (
    "Equal epochs: every arm sees its own examples equally often, so fewer examples mean less training. "
    "Equal steps: every arm takes as many optimizer steps as all examples would take."
)


def retrain_panel(store: Store, run: RunRecord, rule: Rule, outcome: Outcome, with_decisions: bool) -> None:
    """Draw the settings and the button; a click starts the run and names it in the address."""
    st.write(
        "Train new models on what stays and compare them with the baselines on the same test split. "
        "It runs in the background; leave the page or close the browser as you like."
    )
    with st.container(border=True):
        settings = _settings(run)
        seconds = _estimate(store, run, outcome.n_kept, len(outcome.is_kept), settings)
        with st.container(horizontal=True, vertical_alignment="center"):
            is_wanted = st.button(
                "Retrain", type="primary", icon=":material/model_training:", key="retrain it"
            )
            n = settings["repeats"] * (1 + len(settings["baselines"]))
            took = f"; at the speed of the scoring run: {about(seconds)}" if seconds else ""
            st.caption(f"{n} trainings{took}.")
            if run.encoder == FROZEN:
                st.caption("They train heads alone: the scoring run's encoder stayed frozen.")
    if is_wanted:
        _start(store, run, rule, settings, with_decisions)


def _settings(run: RunRecord) -> dict[str, Any]:
    """Draw the settings and return them."""
    columns = st.columns([2, 2, 5, 4])
    epochs = int(run.config.get("training", {}).get("epochs", 1))
    repeats = columns[0].number_input("Repeats", 1, 20, 3, key="repeats", help=_REPEATS_HELP)
    chosen_epochs = columns[1].number_input("Epochs", 1, 50, epochs, key="epochs", help=_EPOCHS_HELP)
    baselines = columns[2].pills(
        "Baselines",
        list(_BASELINES),
        selection_mode="multi",
        default=list(_BASELINES),
        format_func=_BASELINES.__getitem__,
        key="baselines",
        help=_BASELINES_HELP,
    )
    budget = columns[3].segmented_control(
        "Budget",
        list(_BUDGETS),
        default="epochs",
        required=True,
        format_func=_BUDGETS.__getitem__,
        key="budget",
        help=_BUDGET_HELP,
    )
    return {
        "repeats": int(repeats),
        "epochs": int(chosen_epochs),
        "baselines": tuple(name for name in ("full", "random") if name in baselines),
        "budget": budget or "epochs",
    }


def _estimate(store: Store, run: RunRecord, n_kept: int, n: int, settings: dict[str, Any]) -> float | None:
    """Return about how many seconds the trainings take; None where the run's folder is gone."""
    from diet_core.errors import DietError
    from diet_core.jobs.comparison import estimated_seconds
    from diet_core.jobs.folder import find_run

    sizes = {"selected": n_kept, "random": n_kept, "full": n}
    per_arm = [
        sizes[arm] if settings["budget"] == "epochs" else n for arm in ("selected", *settings["baselines"])
    ]
    try:
        scored = find_run(store.workspace, run.run_id, "score")
        return estimated_seconds(scored, per_arm, settings["epochs"], settings["repeats"])
    except DietError:
        return None


def _start(store: Store, run: RunRecord, rule: Rule, settings: dict[str, Any], with_decisions: bool) -> None:
    """Lay the run out, start its worker and open it on this page."""
    from diet_core.jobs import executor
    from diet_core.jobs.folder import find_run
    from diet_core.jobs.retraining import Retraining, plan_retraining

    with st.spinner("Starting …"):
        scored = find_run(store.workspace, run.run_id, "score")
        decisions = store.effective_decisions(run.dataset.dataset_id) if with_decisions else None
        folder = plan_retraining(store.workspace, scored, Retraining(rule=rule, **settings), decisions)
        executor.start(folder)
    st.session_state["retrain"] = folder.run_id
    st.query_params["retrain"] = folder.run_id
    st.rerun()
