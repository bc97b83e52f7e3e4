"""Details behind the means of the arms: learning curves, the recall of each class, the cost."""

from __future__ import annotations

import streamlit as st

from diet_core.charts.experiments import METRICS, cost_chart, curves_chart, recall_chart
from pages.parts.retrain.compare import draw_chart
from pages.parts.retrain.data import MAX_ARMS, RetrainResults
from pages.shared.widgets import one_of

MAX_CLASSES = 15  # of the chart; the table has all
_CURVES_HELP = (
    "Mean over the repeats at each evaluation of the test split, shaded one standard deviation to either "
    "side. With equal epochs, arms of fewer examples end after fewer steps."
)
_RECALL_HELP = (
    "Share of a class's test examples that are predicted correctly: mean over the repeats, the line is one "
    "standard deviation. A selection may gain on some classes what it loses on others."
)
_COST_HELP = (
    "What one training of an arm takes on this machine, the evaluation on the test split included, and what "
    "that saves of a training on all examples. Scoring is not included: it is done once, for any number of "
    "selections."
)
_SHARE = st.column_config.NumberColumn(format="percent")
_COSTS = {
    "Arm": "title",
    "Examples": "n_train",
    "Steps": "steps",
    "Minutes": "minutes",
    "Steps saved": "steps_saved",
    "Time saved": "minutes_saved",
}
_COST_COLUMNS = {
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
}


def curves_view(results: RetrainResults, metric: str) -> None:
    """Draw accuracy, macro-F1 or loss over the steps of the trainings."""
    rows = results.curves
    names = METRICS | {"loss": "Loss"}
    there = {n: title for n, title in names.items() if n in rows and rows[n].notna().any()}
    if not there:
        st.caption("This run has no evaluations to draw.")
        return
    heading = st.container()
    first = metric if metric in there else None
    help = "Loss: the mean cross-entropy of the test examples, low means good."
    of = one_of("Curve of", there, f"curve of {results.run_id}", first, help=help)
    few = _few_arms(results)
    chart = curves_chart(rows[rows["title"].isin(few)], results.colours_of(few), of)
    draw_chart(results, chart, rows, "Learning curves", _CURVES_HELP, "curves", key=of, heading=heading)


def recall_view(results: RetrainResults, metric: str) -> None:
    """Draw the recall of each class and arm."""
    rows = results.recalls
    if not rows["recall"].notna().any():
        st.caption("This run has no test examples, so there is no recall.")
        return
    classes = list(dict.fromkeys(rows["label"]))
    heading = st.container()
    few = _few_arms(results)
    rows = rows[rows["title"].isin(few)]
    chart = recall_chart(rows[rows["label"].isin(classes[:MAX_CLASSES])], results.colours_of(few))
    title = "Recall per class"
    draw_chart(results, chart, results.recalls, title, _RECALL_HELP, "recall", heading=heading)
    table = rows.pivot_table(index="label", columns="title", values="recall", sort=False)
    table = table.reset_index().rename(columns={"label": "Class"})
    shares = dict.fromkeys(table.columns[1:], _SHARE)
    st.dataframe(table, hide_index=True, column_config=shares, key=f"recall table {results.run_id}")
    if len(classes) > MAX_CLASSES:
        st.caption(f"The first {MAX_CLASSES} of {len(classes)} classes are drawn; the table has all.")


def cost_view(results: RetrainResults, metric: str) -> None:
    """Draw what a training of each arm takes and what that saves."""
    rows = results.costs
    heading = st.container()
    few = _few_arms(results)
    chart = cost_chart(rows[rows["title"].isin(few)], results.colours_of(few))
    draw_chart(results, chart, rows, "Cost", _COST_HELP, "cost", heading=heading)
    table = rows[list(_COSTS.values())].set_axis(list(_COSTS), axis="columns")
    key = f"cost table {results.run_id}"
    st.dataframe(table, hide_index=True, column_config=_COST_COLUMNS, key=key)


def _few_arms(results: RetrainResults) -> list[str]:
    """Return the titles of all arms, or of those that the user chose of many."""
    titles = list(results.titles.values())
    if len(titles) <= MAX_ARMS:
        return titles
    full = [title for name, title in results.titles.items() if results.kinds[name] == "full"]
    first = [*titles[: MAX_ARMS - 1 - len(full)], *full]
    return st.multiselect("Arms", titles, first, key=f"arms shown {results.run_id}") or first
