"""What a selection saves of each training's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.pruning.outcome import Outcome
from diet_core.runs.cost import duration_in_words
from diet_core.store.loading.runs import RunRecord
from pages.shared.durations import retraining_seconds

if TYPE_CHECKING:
    from diet_core.store.store import Store

_HELP = (
    "Per training, with as many epochs as the scoring run. With a budget of equal steps (below) nothing is "
    "saved: a training takes as long as on all examples."
)


def saved_time(store: Store, run: RunRecord, outcome: Outcome) -> None:
    """Draw how much shorter a training on the kept examples is; in steps only without the run's folder."""
    n, n_kept = len(outcome.is_kept), outcome.n_kept
    settings = run.config.settings
    full, kept = (settings.epoch_steps(count) * settings.epochs for count in (n, n_kept))
    if kept == full:
        st.caption("As many training steps as with all examples.", help=_HELP)
        return
    words = f"About {1 - kept / full:.0%} fewer training steps ({kept:,} instead of {full:,})"
    seconds = [retraining_seconds(store, run, [count * settings.epochs]) for count in (n_kept, n)]
    if seconds[0] and seconds[1]:
        words += (
            f": {duration_in_words(seconds[0])} instead of {duration_in_words(seconds[1])} per training, "
            "by the speed of the scoring run"
        )
    st.caption(f":material/timer: {words}.", help=_HELP)
