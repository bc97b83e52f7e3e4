"""Above every view of a comparison: which settings differ, and how far both sides agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.review.run_settings import compared_settings
from diet_core.store.comparison.results import (
    count_agreeing,
    count_changed_data,
    count_shared_hardest,
    find_rank_correlation,
)
from diet_core.store.comparison.sides import Side
from diet_core.tables import SCORES
from pages.parts.compare.sides import last_step
from pages.shared.errors import plain

if TYPE_CHECKING:
    import pandas as pd

    from pages.parts.compare.state import Shown

SHOWN_DIFFERENCES = 6
HARDEST = 10  # percent, of the figure above the views
# Of the common examples: from here on ids seem to mean different things in both data sets.
SUSPICIOUS_TEXTS = 0.5


def settings_of(shown: Shown) -> pd.DataFrame:
    """Return the settings of both sides, those that differ first."""
    one = shown.compared
    return compared_settings(
        *shown.runs,
        {
            "Step": (_step(shown, one.a), _step(shown, one.b)),
            "Seed": (_seed(one.a), _seed(one.b)),
            "Scored examples": (one.n_a, one.n_b),
        },
    )


def _step(shown: Shown, side: Side) -> int | str:
    return last_step(shown.store, side.run_id) if side.step is None else side.step


def _seed(side: Side) -> int | str:
    return "mean of all" if side.seed is None else side.seed


def differences(shown: Shown) -> None:
    """Draw the settings that differ in a line, and warn where the ids of both may not match."""
    table = settings_of(shown)
    differing = table[table["differs"]].head(SHOWN_DIFFERENCES)
    settings = differing[["setting", "a", "b"]].astype(str).to_numpy()
    parts = [f"**{setting}** {plain(a)} / {plain(b)}" for setting, a, b in settings]
    more = int(table["differs"].sum()) - len(parts)
    text = " · ".join(parts) + (f" · {more} more" if more else "")
    st.caption(f"A / B: {text}" if parts else "A and B have the same settings.")
    _, n_texts = shown.counted(count_changed_data)
    n = shown.compared.n_common
    if n_texts > SUSPICIOUS_TEXTS * n:
        st.warning(
            f"{n_texts:,} of the {n:,} examples with a common id have another text in B. "
            "The two data sets may mean different examples by the same ids.",
            icon=":material/rule:",
        )


def key_figures(shown: Shown) -> None:
    """Draw common examples, rank correlation, shared hardest examples and equal predictions."""
    one = shown.compared
    title = SCORES[one.score].title
    columns = [*st.columns(2), *st.columns(2)]
    columns[0].metric("Common examples", f"{one.n_common:,}", help=_common_in_words(shown))
    columns[1].metric(
        f"Rank correlation, {title}",
        _figure(shown.counted(find_rank_correlation)),
        help="Spearman's, among the common examples; tied values share their mean rank. 1 = the same order, "
        "0 = no relation.",
    )
    shared = shown.counted(count_shared_hardest).set_index("percent")
    columns[2].metric(
        f"Hardest {HARDEST} % in both",
        _percent(shared.loc[HARDEST, "share"]),
        help=_shared_in_words(shared),
    )
    n_same, n = shown.counted(count_agreeing)
    columns[3].metric(
        "Same prediction",
        _percent(n_same / n if n else None),
        help=f"{n_same:,} of {n:,} examples." if n else "The predictions of one side are not known.",
    )


def _common_in_words(shown: Shown) -> str:
    one = shown.compared
    n_labels, n_texts = shown.counted(count_changed_data)
    words = f"Only in A: {one.n_a - one.n_common:,}. Only in B: {one.n_b - one.n_common:,}."
    if one.dataset_a == one.dataset_b:
        return f"{words} Both are of {plain(one.dataset_a)}."
    return f"{words} Of the common ones {n_labels:,} have another label in B and {n_texts:,} another text."


def _shared_in_words(shared: pd.DataFrame) -> str:
    rows = shared.loc[[1, 5, 10, 30]].itertuples()
    listed = "; ".join(f"{r.Index} %: {r.n_shared:,} of {r.n:,} ({_percent(r.share)})" for r in rows)
    return f"Shared among the hardest of each side: {listed}. By chance it would be that percentage."


def _figure(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def _percent(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:.1%}"
