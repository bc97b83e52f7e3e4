"""Compare, Predictions: where the two predict different classes, and which one the label confirms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts.base import CLICK
from diet_core.charts.compare import prediction_matrix
from diet_core.scoring.statistics.mcnemar import mcnemar
from diet_core.store.comparison.results import Among, count_common, count_prediction_pairs, count_who_is_right
from pages.parts.compare.table import compared_table, example_of_both
from pages.shared.address import read_url, segments, write_url
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    from pages.parts.compare.state import Shown

HEIGHT = 280
FEW_LINES = 6  # of a table that needs no more height
SHOWN_CLASSES = 50  # with more the cells are too small to click: a table lists the most frequent pairs
MAX_ROWS = 1000
_OUTCOMES: dict[str, dict[str, Any]] = {
    "Different": {"is_disagreement": True},
    "Only A right": {"outcome": "only a"},
    "Only B right": {"outcome": "only b"},
    "All": {},
}
_HONEST = (
    "Right means that the prediction is the given label, which may be wrong itself. These are training "
    "examples, so a right prediction may have been memorised. p: McNemar's exact test on the examples that "
    "only one side predicts correctly, taken as independent; not corrected for testing several classes."
)
_PAIR = ("predicted", "other_predicted")  # in the URL


def predictions_view(shown: Shown) -> None:
    """Draw the matrix of predictions, who is right, and the examples that are chosen by both."""
    pairs = shown.counted(count_prediction_pairs)
    if pairs.empty:
        st.info(
            "The predictions of one side are not known: an older version loaded its run, or its folder "
            "is gone. Choose another seed or step.",
            icon=":material/info:",
        )
        return
    pair = _named_pair(shown)
    matrix, right = st.columns([1, 1], gap="medium")
    with matrix:
        _matrix(shown, pairs, pair)
    with right:
        st.subheader("Who is right, by label", anchor=False, help=_HONEST)
        lines = _with_p(shown.counted(count_who_is_right))
        st.dataframe(
            lines,
            hide_index=True,
            height=HEIGHT if len(lines) > FEW_LINES else "content",
            column_config=_RIGHT,
        )
    among = _chosen(shown, pair)
    selected = compared_table(shown, "hardest of a", among, shown.counted(count_common, among))
    example_of_both(shown, selected)


def _matrix(shown: Shown, pairs: pd.DataFrame, pair: tuple[str, str] | None) -> None:
    classes = shown.compared.classes
    chart = prediction_matrix(pairs, classes, height=HEIGHT, chosen=pair)
    with headed("Predictions of both", "Click a cell for its examples."):
        chart_downloads(chart, pairs, f"{shown.file_name}-predictions", "download predictions")
    if len(classes) > SHOWN_CLASSES:
        differing = pairs[pairs["predicted_a"] != pairs["predicted_b"]]
        st.dataframe(differing.head(MAX_ROWS), hide_index=True, height=HEIGHT, column_config=_PAIRS)
        return
    # Every choice makes another chart, so that any click on it is a new one.
    key = f"predictions {shown.key} {pair}"
    show_chart(chart, key, on_select=partial(_click, key, pair))


def _click(key: str, pair: tuple[str, str] | None) -> None:
    cells = st.session_state[key].selection.get(CLICK) or []
    if cells:
        clicked = (cells[0]["predicted_a"], cells[0]["predicted_b"])
        _write_pair(None if clicked == pair else clicked)


def _named_pair(shown: Shown) -> tuple[str, str] | None:
    a, b = (read_url(key, str, None) for key in _PAIR)
    return (a, b) if a in shown.compared.classes and b in shown.compared.classes else None


def _write_pair(pair: tuple[str, str] | None) -> None:
    for key, value in zip(_PAIR, pair or ("", ""), strict=True):
        write_url(key, value)


def _chosen(shown: Shown, pair: tuple[str, str] | None) -> Among:
    """Draw the choice of examples and return it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        conditions = segments("Examples", _OUTCOMES, "outcome", disabled=pair is not None)
        label = st.selectbox(
            "Label",
            list(shown.compared.classes),
            index=None,
            placeholder="All labels",
            key="class",
            bind="query-params",
            label_visibility="collapsed",
            width=200,
        )
        if pair is not None:
            st.button(
                f"A {pair[0]}, B {pair[1]}",
                icon=":material/close:",
                key="clear pair",
                on_click=_write_pair,
                args=(None,),
                help="Show all predictions again.",
            )
            return Among(label=label, predicted_a=pair[0], predicted_b=pair[1])
    return Among(label=label, **conditions)


def _with_p(right: pd.DataFrame) -> pd.DataFrame:
    """Return the counts with a line for all classes first, and the p-value of each line."""
    total = right.drop(columns="label").sum()
    table = pd.concat([pd.DataFrame([{"label": "All"} | total.to_dict()]), right], ignore_index=True)
    table["p"] = [
        _p_in_words(mcnemar(a, b)) for a, b in table[["only_a", "only_b"]].astype(int).to_numpy().tolist()
    ]
    return table


def _p_in_words(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


_RIGHT = {
    "label": st.column_config.TextColumn("Label", width=80),
    "n": st.column_config.NumberColumn("Examples", format="localized", width=70),
    "both": st.column_config.NumberColumn("Both", format="localized", width=60),
    "only_a": st.column_config.NumberColumn("Only A", format="localized", width=60),
    "only_b": st.column_config.NumberColumn("Only B", format="localized", width=60),
    "neither": st.column_config.NumberColumn("Neither", format="localized", width=60),
    "p": st.column_config.TextColumn("p", width=75),
}
_PAIRS: dict[str, Any] = {
    "predicted_a": "A predicts",
    "predicted_b": "B predicts",
    "count": st.column_config.NumberColumn("Examples", format="localized"),
    "share": st.column_config.NumberColumn("Share of A's predictions of this class", format="percent"),
}
