"""The views of a retraining's results, of which one is drawn at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from pages.parts.retrain.compare import differences_view, trainings_view
from pages.parts.retrain.details import cost_view, curves_view, recall_view

if TYPE_CHECKING:
    from pages.parts.retrain.found import Found

_USUAL: Final = ("Differences", "Learning curves", "Recall per class", "Cost")
VIEWS: Final[dict[str, Callable[[Found, str], None]]] = {
    "Trainings": trainings_view,
    "Differences": differences_view,
    "Learning curves": curves_view,
    "Recall per class": recall_view,
    "Cost": cost_view,
}


def chosen_view(found: Found, metric: str, more: Sequence[str] = ()) -> None:
    """Draw the view that the user chose; `more` are views that stand elsewhere otherwise."""
    views = {name: VIEWS[name] for name in (*more, *_USUAL)}
    view = st.segmented_control(
        "Result",
        list(views),
        default=next(iter(views)),
        required=True,
        key=f"result {found.run_id}",
        label_visibility="collapsed",
    )
    views[view or next(iter(views))](found, metric)
