"""What a selection saves of each training's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.runs.cost import duration_in_words

if TYPE_CHECKING:
    from diet_core.pruning.outcome import Outcome
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store


def saved_time(store: Store, run: RunRecord, outcome: Outcome) -> None:
    """Draw how much shorter a training on what stays is; of a run without its folder, in steps only."""
    n, n_kept = len(outcome.is_kept), outcome.n_kept
    settings = run.config.settings
    full, kept = (settings.epoch_steps(count) * settings.epochs for count in (n, n_kept))
    if kept == full:
        st.caption("As many training steps as with all examples.", help=_HELP)
        return
    steps = f"About {1 - kept / full:.0%} fewer training steps ({kept:,} instead of {full:,})"
    seconds = _seconds(store, run, n_kept, settings.epochs), _seconds(store, run, n, settings.epochs)
    if seconds[0] and seconds[1]:
        steps += (
            f": {duration_in_words(seconds[0])} instead of {duration_in_words(seconds[1])} per training, "
            "by the speed of the scoring run"
        )
    st.caption(f":material/timer: {steps}.", help=_HELP)


_HELP = (
    "Per training, with as many epochs as the scoring run. With a budget of equal steps (below) nothing is "
    "saved: a training takes as long as on all examples."
)


def _seconds(store: Store, run: RunRecord, n_train: int, epochs: int) -> float | None:
    """Return how long one training takes; None where the run's folder is gone."""
    from diet_core.errors import DietError
    from diet_core.runs.cost import retraining_seconds
    from diet_core.runs.folder import find_run_folder

    try:
        scored = find_run_folder(store.workspace, run.run_id, "score")
        return retraining_seconds(scored, [n_train], epochs, 1)
    except DietError:
        return None
