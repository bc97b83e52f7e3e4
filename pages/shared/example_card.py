"""One example in detail: its text, its labels and what every score says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.store import RunRecord, Store


def example_card(store: Store, run: RunRecord, example_id: str) -> None:
    """Draw a card. Texts, labels and ids are data: shown as they are, never as Markdown."""
    example = store.example(run.run_id, example_id)
    with st.container(border=True):
        st.caption("Example")
        st.text(example["text"])
        if example["text_pair"] is not None:
            st.caption("Second text")
            st.text(example["text_pair"])
        labels = st.columns(3)
        for column, (title, name) in zip(labels, _LABELS.items(), strict=True):
            column.caption(title)
            column.text(example[name] or "–")
        st.dataframe(
            _ranks(store.example_scores(run.run_id, example_id)), hide_index=True, column_config=_RANKS
        )
        st.caption("Id")
        st.text(example_id)


_LABELS = {"Label": "label", "Prediction": "predicted_label", "Suggested": "suggested_label"}
_RANKS = {
    "Value": st.column_config.NumberColumn(format="%.4f"),
    "Rank": st.column_config.NumberColumn(format="localized", help="1 is the hardest."),
    "Harder than": st.column_config.NumberColumn(
        format="percent", help="Share of the training examples that this one is harder than."
    ),
}


def _ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Return a row per score: title, value, rank, share of easier examples."""
    return pd.DataFrame(
        {
            "Score": [SCORES[name].title for name in scores["score"]],
            "Value": scores["value"],
            "Rank": scores["rank"],
            "Harder than": 1 - scores["rank"] / scores["n"],
        }
    )
