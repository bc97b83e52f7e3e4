"""What lies behind the means of the arms: their learning curves, the recall of each class, the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.charts.experiments import METRICS, cost_chart, curves_chart, recall_chart
from pages.parts.retrain.parts import downloads, of_few_arms
from pages.shared.chart import headed, show_chart

if TYPE_CHECKING:
    from pages.parts.retrain.found import Found

MAX_CLASSES = 15  # of the chart; the table has all
_SHARE = st.column_config.NumberColumn(format="percent")


def curves_view(found: Found, metric: str) -> None:
    """Draw accuracy, macro-F1 or loss over the steps of the trainings."""
    rows = found.curves
    help = (
        "Mean over the repeats at each evaluation of the test split, shaded one standard deviation to either "
        "side. With equal epochs, arms of fewer examples end after fewer steps."
    )
    names = METRICS | {"loss": "Loss"}
    there = [name for name in names if name in rows and rows[name].notna().any()]
    if not there:
        st.caption("This run has no evaluations to draw.")
        return
    heading = st.container()
    of = st.segmented_control(
        "Curve of",
        there,
        default=metric if metric in there else there[0],
        required=True,
        format_func=names.__getitem__,
        key=f"curve of {found.run_id}",
        help="Loss: the mean cross-entropy of the test examples, low means good.",
    )
    few = of_few_arms(found)
    chart = curves_chart(rows[rows["title"].isin(few)], found.colours_of(few), of or there[0])
    with heading, headed("Learning curves", help):
        downloads(chart, rows, found, "curves")
    show_chart(chart, f"curves {found.run_id} {of}")


def recall_view(found: Found, metric: str) -> None:
    """Draw how much of each class the arms predict right."""
    rows = found.recalls
    help = (
        "Share of a class's test examples that are predicted right: mean over the repeats, the line is one "
        "standard deviation. A selection may gain on some classes what it loses on others."
    )
    if not rows["recall"].notna().any():
        st.caption("This run has no test examples, so there is no recall.")
        return
    classes = list(dict.fromkeys(rows["label"]))
    heading = st.container()
    few = of_few_arms(found)
    rows = rows[rows["title"].isin(few)]
    shown = rows[rows["label"].isin(classes[:MAX_CLASSES])]
    chart = recall_chart(shown, found.colours_of(few))
    with heading, headed("Recall per class", help):
        downloads(chart, found.recalls, found, "recall")
    show_chart(chart, f"recall {found.run_id}")
    table = rows.pivot_table(index="label", columns="title", values="recall", sort=False)
    table = table.reset_index().rename(columns={"label": "Class"})
    shares = dict.fromkeys(table.columns[1:], _SHARE)
    st.dataframe(table, hide_index=True, column_config=shares, key=f"recall table {found.run_id}")
    if len(classes) > MAX_CLASSES:
        st.caption(f"The first {MAX_CLASSES} of {len(classes)} classes are drawn; the table has all.")


def cost_view(found: Found, metric: str) -> None:
    """Draw what a training of each arm takes and what that saves."""
    rows = found.costs
    help = (
        "What one training of an arm takes on this machine, the reading of the test split included, and what "
        "that saves of a training on all examples. Scoring is not in it: it is paid once, for any number of "
        "selections."
    )
    heading = st.container()
    few = of_few_arms(found)
    chart = cost_chart(rows[rows["title"].isin(few)], found.colours_of(few))
    with heading, headed("Cost", help):
        downloads(chart, rows, found, "cost")
    show_chart(chart, f"cost {found.run_id}")
    st.dataframe(
        pd.DataFrame(
            {
                "Arm": rows["title"],
                "Examples": rows["n_train"],
                "Steps": rows["steps"],
                "Minutes": rows["minutes"],
                "Steps saved": rows["steps_saved"],
                "Time saved": rows["minutes_saved"],
            }
        ),
        hide_index=True,
        column_config={
            "Examples": st.column_config.NumberColumn(
                format="localized", help="Training examples; of dynamic pruning those that it chooses from."
            ),
            "Steps": st.column_config.NumberColumn(format="localized", help="Optimizer steps of a training."),
            "Minutes": st.column_config.NumberColumn(format="%.2f", help="Of one training, the mean."),
            "Steps saved": st.column_config.NumberColumn(
                format="percent", help="Of the steps of a training on all examples."
            ),
            "Time saved": st.column_config.NumberColumn(
                format="percent", help="Of the time of a training on all examples."
            ),
        },
        key=f"cost table {found.run_id}",
    )
