"""One example in detail: its text, its labels, its scores and those of each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.review.seeds import example_seeds
from diet_core.store.queries.one_example import find_example, read_example_scores
from diet_core.tables import SCORES, meaning_of
from pages.parts.explore.history_panel import history_panel

if TYPE_CHECKING:
    from pages.parts.explore.state import Explored

TEXT_HEIGHT = 220  # pixels; a longer text scrolls
LONG = 600  # characters


def example_card(shown: Explored, example_id: str) -> None:
    """Draw a card. Texts, labels and ids are data: shown as they are, never as Markdown."""
    store, run = shown.store, shown.run
    example = shown.counted(find_example, example_id)
    with st.container(border=True):
        _text("Example", example["text"])
        if example["text_pair"] is not None:
            _text("Second text", example["text_pair"])
        labels = st.columns(3)
        for column, (title, name) in zip(labels, _LABELS.items(), strict=True):
            column.caption(title)
            column.text(example[name] or "–")
        ranks = _ranks(shown.counted(read_example_scores, example_id))
        st.dataframe(ranks, hide_index=True, column_config=_RANKS)
        st.dataframe(
            _seeds(shown.counted(example_seeds, example_id, example["label"])),
            hide_index=True,
            column_config=_seed_columns(run.grand),
        )
        st.caption("Decisions")
        history_panel(store, run.dataset.dataset_id, example_id)
        st.caption("Id")
        st.text(example_id)
        st.page_link(
            "pages/review.py",
            label="Review this example",
            icon=":material/rate_review:",
            query_params={"run": run.run_id, "example": example_id},
        )


def _text(title: str, text: str) -> None:
    st.caption(title)
    with st.container(height=TEXT_HEIGHT if len(text) > LONG else "content", border=False):
        st.text(text, width="stretch")


_LABELS = {"Label": "label", "Prediction": "predicted_label", "Suggested": "suggested_label"}
_RANKS = {
    "Score": st.column_config.TextColumn(width=78),
    "Value": st.column_config.NumberColumn(format="%.4f", width=62),
    "Rank": st.column_config.NumberColumn(format="localized", width=50, help="1 is the hardest."),
    "In all": st.column_config.NumberColumn(
        format="percent", width=54, help="Share of the training examples that this one is harder than."
    ),
    "In class": st.column_config.NumberColumn(
        format="percent", width=58, help="Share of the examples of its class that this one is harder than."
    ),
}


def _seed_columns(grand: str) -> dict[str, Any]:
    """Return how the columns of the seeds' table look, for a run's scope of GraNd."""
    scores = {
        SCORES[name].title: st.column_config.NumberColumn(format="%.4f", help=meaning_of(name, grand))
        for name in ("el2n", "grand")
    }
    label = st.column_config.NumberColumn(format="percent", help="Probability of the given label.")
    return scores | {"P(label)": label}


def _ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Return a row per score: title, value, rank, share of easier examples in all and in its class."""
    return pd.DataFrame(
        {
            "Score": [SCORES[name].title for name in scores["score"]],
            "Value": scores["value"],
            "Rank": scores["rank"],
            "In all": 1 - scores["rank"] / scores["n"],
            "In class": 1 - scores["rank_in_class"] / scores["n_in_class"],
        }
    )


def _seeds(seeds: pd.DataFrame) -> pd.DataFrame:
    """Return a row per seed, without the columns that need the run's folder where it is gone."""
    titles = {
        "seed": "Seed",
        "predicted_label": "Prediction",
        "label_probability": "P(label)",
        "el2n": "EL2N",
        "grand": "GraNd",
    }
    return seeds[list(titles)].dropna(axis="columns", how="all").rename(columns=titles)
