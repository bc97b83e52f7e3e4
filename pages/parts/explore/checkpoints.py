"""Explore, Checkpoints: the classes of the hardest examples at each score step (the paper's Fig. 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.groups import LINE_COLOURS, label_share_lines
from diet_core.store.queries.class_stats import read_label_shares
from diet_core.tables import SCORES
from pages.shared.address import segments
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    import pandas as pd

    from pages.parts.explore.state import Explored

TOP = 20  # percent at first
_SCORES = {"EL2N": "el2n", "GraNd": "grand"}
_HELP = (
    "Share of each class among the hardest examples at each score step. Dashed: its share of all examples; a "
    "class whose line lies above it is overrepresented. Fayyaz et al. 2022, Figure 2."
)


def checkpoints_view(shown: Explored) -> Explored:
    """Draw the classes' shares of the hardest examples, a line per class."""
    with headed("Classes of the hardest examples", _HELP):
        by = segments("By", _SCORES, "by")
        percent = st.slider(
            "Hardest percent", 1, 100, TOP, key="top", bind="query-params", format="%d %%", width=260
        )
        shares = shown.counted(read_label_shares, by, percent)
        lines = _most_deviating(shares)
        if shares["step"].nunique() > 1:
            name = f"{shown.run.run_id}-top-{percent}-{by}"
            picture = label_share_lines(shares, lines)
            chart_downloads(picture, shares, name, key="download steps")
    if shares["step"].nunique() < 2:
        st.info(_too_few(shares), icon=":material/info:")
        return shown
    show_chart(picture, f"steps {shown.run.run_id}")
    st.caption(" ".join(_notes(shares, lines, percent, by)))
    return shown


def _too_few(shares: pd.DataFrame) -> str:
    if shares.empty:
        return (
            "This run has no values of this score at its steps. Choose the other one. A run that was loaded "
            "by an older version and whose folder is gone has neither."
        )
    return (
        "This needs two score steps, and this run has one. Score again for two epochs with the score steps "
        "“After each epoch” (--epochs 2 --score-steps epochs on the command line)."
    )


def _most_deviating(shares: pd.DataFrame) -> list[str]:
    """Return as many classes as there are colours, those whose share differs most from their share of all."""
    off = (shares["share"] - shares["share_of_all"]).abs().groupby(shares["label"]).max()
    return sorted(off.nlargest(len(LINE_COLOURS)).index)


def _notes(shares: pd.DataFrame, lines: list[str], percent: int, by: str) -> list[str]:
    n_classes = shares["label"].nunique()
    notes = [f"The hardest {percent} % by {SCORES[by].title}, the mean over seeds at each step."]
    if n_classes > len(lines):
        notes.append(
            f"The chart shows the {len(lines)} of {n_classes} classes that deviate most; the CSV has all."
        )
    if not shares["is_reliable"].all():
        notes.append("Rings: steps before the end of the first epoch, whose scores are unreliable.")
    return notes
