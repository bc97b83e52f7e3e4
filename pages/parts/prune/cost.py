"""What a selection saves of each training's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.pruning.outcome import Outcome
from diet_core.store.loading.runs import RunRecord
from pages.shared.durations import about, retraining_seconds

if TYPE_CHECKING:
    from diet_core.store.store import Store

_HELP = (
    "Per training, with as many epochs as the scoring run. With a budget of equal steps (below) nothing is "
    "saved: a training takes as long as on all examples."
)


def saved_time(store: Store, run: RunRecord, outcome: Outcome) -> None:
    """Draw how much shorter a training on the kept examples is; in steps only without the run's folder."""
    n, n_kept = len(outcome.is_kept), outcome.n_kept
    training = run.config.get("training", {})
    batch, epochs = int(training.get("batch_size", 32)), int(training.get("epochs", 1))
    full, kept = (-(-count // batch) * epochs for count in (n, n_kept))
    if kept == full:
        st.caption("As many training steps as with all examples.", help=_HELP)
        return
    words = f"About {1 - kept / full:.0%} fewer training steps ({kept:,} instead of {full:,})"
    seconds = [retraining_seconds(store, run, [count * epochs]) for count in (n_kept, n)]
    if seconds[0] and seconds[1]:
        words += (
            f": {about(seconds[0])} instead of {about(seconds[1])} per training, "
            "by the speed of the scoring run"
        )
    st.caption(f":material/timer: {words}.", help=_HELP)
