"""What an export would hold, drawn: counts, classes, the rows that leave and those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from diet_core.store.loading.datasets import find_dataset
from pages.parts.rule import preview as prune_preview
from pages.parts.rule.outcome import kept_by, run_examples

if TYPE_CHECKING:
    from diet_core.pruning.export_preview import ExportPreview, SourceRows
    from diet_core.rule import Rule
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.queries.run_arrays import Decisions
    from diet_core.store.store import Store

PAGE_ROWS = 20
_COLUMNS = {
    "Row": st.column_config.NumberColumn(format="localized", width=70, help="In the source, from 1."),
    "Split": st.column_config.TextColumn(width=70),
    "Label": st.column_config.TextColumn(width=90),
    "Was": st.column_config.TextColumn(width=90, help="The label in the source, where it is another one."),
    "By": st.column_config.TextColumn(width=80, help="What takes the row out."),
    "Text": st.column_config.TextColumn(width=560),
}


def source_rows_of(store: Store, name: str) -> SourceRows:
    """Return the rows that an export starts from; read once per data set version."""
    return _source_rows(str(store.workspace.root), find_dataset(store, name).dataset_id, name, store)


# Versions never change, and nobody changes these rows: no copies.
@st.cache_resource(show_spinner="Reading the rows …", max_entries=4)
def _source_rows(root: str, dataset_id: str, name: str, _store: Store) -> SourceRows:
    from diet_core.pruning.export_preview import source_rows

    return source_rows(_store, name)


def found(
    store: Store, source: SourceRows, run: RunRecord | None, rule: Rule | None, decisions: Decisions | None
) -> ExportPreview:
    """Return what the export would hold."""
    from diet_core.pruning.export_preview import preview_of

    if run is None or rule is None:
        return preview_of(source, None, None, decisions)
    return preview_of(source, run_examples(store, run), kept_by(store, run, rule), decisions)


def counts(found: ExportPreview) -> None:
    """Draw how many rows leave and why the others do not."""
    outcome = found.outcome
    figures = [
        ("Rows in", found.rows_in, "Rows of the source file, all splits."),
        ("Rows out", found.rows, "Rows of the exported file."),
        (
            "By the rule",
            outcome.n_dropped_by_rule,
            "Training rows that the rule drops and no decision holds.",
        ),
        ("By decision", outcome.n_dropped_by_decision, "Training rows dropped though the rule keeps them."),
        ("Relabelled", outcome.n_relabelled, "Training rows that leave with a new label."),
    ]
    for column, (title, number, help) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(title, f"{number:,}", border=True, help=help)
    st.caption(
        f"{found.test_rows:,} rows of the test split are among those that leave, unchanged. "
        "Columns, order and ids are the source's own."
    )


def classes(found: ExportPreview) -> None:
    """Draw the training rows per class before and after."""
    prune_preview.warn_of_classes(found.outcome)
    prune_preview.classes(found.outcome)


def rows(store: Store, source: SourceRows, found: ExportPreview) -> None:
    """Draw the rows that leave and those that do not, page by page."""
    st.subheader("Rows", anchor=False)
    leaves, goes = np.flatnonzero(found.is_exported), np.flatnonzero(~found.is_exported)
    leave, dropped = st.tabs([f"Leave ({len(leaves):,})", f"Dropped ({len(goes):,})"])
    with leave:
        _rows(store, source, found, leaves, "leave")
    with dropped:
        _rows(store, source, found, goes, "dropped")


def _rows(store: Store, source: SourceRows, found: ExportPreview, at: np.ndarray, key: str) -> None:
    from diet_core.pruning.export_preview import shown_rows
    from diet_core.store.queries.run_arrays import read_shown_texts

    if not len(at):
        st.caption("None.")
        return
    page = st.pagination(-(-len(at) // PAGE_ROWS), max_visible_pages=5, key=f"{key} {len(at)}")
    shown = shown_rows(source, found, at[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])
    texts = read_shown_texts(store, source.info.dataset_id, shown["position"].tolist()).reset_index(drop=True)
    was = shown["label"].where(shown["label"] != shown["new_label"], "")
    table = pd.DataFrame(
        {
            "Row": shown["source_row"] + 1,
            "Split": shown["split"],
            "Label": shown["label"] if key == "dropped" else shown["new_label"],
            **({"By": shown["by"]} if key == "dropped" else {"Was": was}),
            "Text": texts["text"],
            **({"Second text": texts["text_pair"]} if texts["text_pair"].notna().any() else {}),
        }
    )
    st.dataframe(table, hide_index=True, height="content", key=f"{key} rows", column_config=_COLUMNS)
