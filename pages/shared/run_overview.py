"""What a run found as a whole: labels against predictions, and how far its seeds agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts import label_matrix

if TYPE_CHECKING:
    from diet_core.store import RunRecord, Store

SHOWN_CLASSES = 50  # more make cells too small to read: their most frequent confusions are a table
SHOWN_CONFUSIONS = 50
HEIGHT = 200


def label_prediction_matrix(store: Store, run: RunRecord) -> None:
    """Draw how often each label meets each prediction."""
    counts, classes = store.label_matrix(run.run_id), run.dataset.classes
    if len(classes) <= SHOWN_CLASSES:
        st.altair_chart(
            label_matrix(counts, classes, height=HEIGHT), key=f"matrix {run.run_id}", width="stretch"
        )
        return
    confused = counts[counts["label"] != counts["predicted_label"]].head(SHOWN_CONFUSIONS)
    st.dataframe(confused, hide_index=True, height=HEIGHT, column_config=_CONFUSIONS)


_CONFUSIONS = {
    "label": "Label",
    "predicted_label": "Prediction",
    "count": st.column_config.NumberColumn("Examples", format="localized"),
    "share": st.column_config.NumberColumn("Share of the label", format="percent"),
}


def seed_agreement(store: Store, run: RunRecord) -> None:
    """Draw how well few seeds stand for many: a sentence, and the numbers behind it."""
    from diet_core.jobs.seeds import run_agreement

    found = run_agreement(store, run.run_id)
    if found is None:
        st.caption("One seed was run, so nothing says how much a score depends on the seed.")
        return
    n = len(found["single"])
    with st.expander(_sentence(found, n), icon=":material/join_inner:"):
        st.caption(
            "Spearman's rank correlations of EL2N, 1 at most. Reliability is an estimate: the "
            "correlation with the mean of infinitely many seeds, if all seeds are correlated equally."
        )
        left, right = st.columns(2, gap="medium")
        left.table(_measured(found).style.format(precision=4), border="horizontal", hide_index=True)
        right.table(
            _estimated(found).style.format(precision=4, na_rep="–"), border="horizontal", hide_index=True
        )


def _sentence(found: dict[str, Any], n: int) -> str:
    one = sum(found["single"]) / n
    return (
        f"Seed agreement: one seed ranks like the mean of {n} with correlation {one:.3f}; "
        f"the mean of {n} has an estimated reliability of {found['reliability'][str(n)]:.3f}."
    )


def _measured(found: dict[str, Any]) -> pd.DataFrame:
    """Return lowest, mean and highest correlation of each kind that was measured."""
    kinds = {
        "One seed with the mean of all": found["single"],
        "Two seeds with the mean of all": found["pairs"],
        "One seed with the mean of the others": found["leave_one_out"],
    }
    return pd.DataFrame(
        [
            {"Measured": kind, "Lowest": min(v), "Mean": sum(v) / len(v), "Highest": max(v)}
            for kind, v in kinds.items()
        ]
    )


def _estimated(found: dict[str, Any]) -> pd.DataFrame:
    reliability = {int(k): value for k, value in found["reliability"].items()}
    estimate = {int(k): value for k, value in found["estimate"].items()}
    return pd.DataFrame(
        [
            {"Seeds": k, "Reliability": value, "With the mean of this run": estimate.get(k)}
            for k, value in reliability.items()
        ]
    )
