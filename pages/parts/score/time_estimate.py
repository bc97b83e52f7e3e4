"""How long a run will take, measured on this machine on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import resolved_steps
from diet_core.run_config import AUTO
from diet_core.runs.auto_seeds import AUTO_IN_WORDS, most_seeds
from diet_core.runs.cost import Work, duration_in_words, extra_cost_in_words
from diet_core.runs.estimate import Measurement, begin, measurement
from diet_core.scoring.steps import unreliable_in_words
from diet_core.store.loading.datasets import DatasetSummary, read_examples
from pages.parts.score.settings import ScoreSettings
from pages.shared.errors import error_box, plain

if TYPE_CHECKING:
    from diet_core.store.store import Store

SECONDS_BETWEEN_LOOKS = 1.0


def time_estimate(store: Store, line: DatasetSummary, settings: ScoreSettings) -> None:
    """Draw the estimate, or the button that measures; the page goes on meanwhile."""
    is_measuring = measurement(store.workspace, line.info.dataset_id, settings.training).is_running()
    pause = SECONDS_BETWEEN_LOOKS if is_measuring else None
    st.fragment(_estimate, run_every=pause, key="time estimate")(store, line, settings, is_measuring)


def _estimate(store: Store, line: DatasetSummary, settings: ScoreSettings, was_measuring: bool) -> None:
    with error_box(), st.container():
        training = settings.training
        epoch_steps = training.epoch_steps(line.n_train)
        steps = resolved_steps(settings.score_steps, epoch_steps=epoch_steps, epochs=training.epochs)
        work = _work(line, settings, len(steps))
        measured = measurement(store.workspace, line.info.dataset_id, training)
        with st.container(horizontal=True, vertical_alignment="center"):
            if measured.is_running():
                st.caption("Measuring this model on this machine, for about 20 s …", width="content")
            elif was_measuring:
                st.rerun()
            else:
                _time(store, line, settings, measured, work)
        # What folds, score steps and GraNd's scope cost, and which steps are unreliable.
        if price := extra_cost_in_words(work, measured.speed()):
            st.caption(price)
        if warning := unreliable_in_words(steps, epoch_steps):
            st.caption(f":material/warning: {warning}")
        if settings.seeds == AUTO:
            st.caption(AUTO_IN_WORDS)


def _work(line: DatasetSummary, settings: ScoreSettings, n_steps: int) -> Work:
    return Work(
        n_train=line.n_train,
        n_test=line.n_test,
        seeds=most_seeds(settings.seeds),
        epochs=settings.training.epochs,
        n_steps=n_steps,
        grand=settings.grand,
        folds=settings.folds,
        encoder=settings.training.encoder,
    )


def _time(
    store: Store, line: DatasetSummary, settings: ScoreSettings, measured: Measurement, work: Work
) -> None:
    """Draw the time if it was measured, and the button that measures."""
    speed = measured.speed()
    at_most = "At most a" if settings.seeds == AUTO else "A"
    if speed:
        duration = duration_in_words(speed.seconds(work))
        st.caption(
            f"{at_most}bout {duration} (measured here: {speed.training:,.0f} examples/s "
            f"training, {speed.scoring:,.0f} examples/s scoring)",
            width="content",
        )
    if st.button(
        "Measure again" if speed else "Estimate the time",
        icon=":material/timer:",
        type="tertiary" if speed else "secondary",
        help="Trains and scores a few batches in a process of its own, for about 20 s.",
    ):
        with st.spinner("Starting …"):
            begin(measured, line.info, read_examples(store, line.info.dataset_id), settings.training)
        st.rerun()
    if error := measured.error():
        st.caption(plain(error))
