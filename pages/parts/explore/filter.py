"""The choice of examples by class, prediction, agreement and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.store.filters import ExampleFilter
from pages.shared.address import segments

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord

_AGREEMENT = {"All": "all", "Agree": "agree", "Disagree": "disagree"}


def chosen_filter(run: RunRecord) -> ExampleFilter:
    """Return what the user chose; all of it is kept in the URL."""
    columns = st.columns([4, 4, 5, 5])
    classes = list(run.dataset.classes)
    label = columns[0].selectbox(
        "Class", classes, index=None, placeholder="All classes", key="class", bind="query-params"
    )
    predicted = columns[1].selectbox(
        "Prediction", classes, index=None, placeholder="All predictions", key="predicted", bind="query-params"
    )
    with columns[2]:
        agreement = segments(
            "Label and prediction", _AGREEMENT, "agreement", label_visibility="visible", width="stretch"
        )
    search = columns[3].text_input(
        "Words",
        type="search",
        placeholder="Search in the texts",
        key="search",
        icon=":material/search:",
        bind="query-params",
    )
    return ExampleFilter(
        label=label,
        predicted_label=predicted,
        agreement=agreement,
        search=(search or "").strip(),
    )
