"""How long a run will take, measured on this machine on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.jobs.estimate import Speed, begin, measurement
from pages.shared.errors import error_box, plain
from pages.shared.words import about

if TYPE_CHECKING:
    from diet_core.store import Store
    from diet_core.store.datasets import DatasetSummary
    from pages.shared.score_settings import ScoreSettings

SECONDS_BETWEEN_LOOKS = 1.0


def time_estimate(store: Store, line: DatasetSummary, settings: ScoreSettings) -> None:
    """Draw the estimate, or the button that measures; the page goes on meanwhile."""
    is_measuring = measurement(store.workspace, line.info.dataset_id, settings.training).is_running()
    pause = SECONDS_BETWEEN_LOOKS if is_measuring else None
    st.fragment(_estimate, run_every=pause, key="time estimate")(store, line, settings, is_measuring)


def _estimate(store: Store, line: DatasetSummary, settings: ScoreSettings, was_measuring: bool) -> None:
    with error_box(), st.container(horizontal=True, vertical_alignment="center"):
        measured = measurement(store.workspace, line.info.dataset_id, settings.training)
        if measured.is_running():
            st.caption("Measuring this model on this machine, for about 20 s …", width="content")
            return
        if was_measuring:
            st.rerun()
        speed = measured.speed()
        if speed:
            _draw(speed, line, settings)
        if st.button(
            "Measure again" if speed else "Estimate the time",
            icon=":material/timer:",
            type="tertiary" if speed else "secondary",
            help="Trains and reads out a few batches in a process of its own, for about 20 s.",
        ):
            with st.spinner("Starting …"):
                begin(measured, line.info, store.examples(line.info.dataset_id), settings.training)
            st.rerun()
        if error := measured.error():
            st.caption(plain(error))


def _draw(speed: Speed, line: DatasetSummary, settings: ScoreSettings) -> None:
    seconds = speed.seconds(
        n_train=line.n_train, n_test=line.n_test, seeds=settings.seeds, epochs=settings.training.epochs
    )
    st.caption(
        f"About {about(seconds)} (measured here: {speed.training:,.0f} examples/s training, "
        f"{speed.scoring:,.0f} examples/s reading out)",
        width="content",
    )
