"""What an export would hold, drawn: counts, classes, the exported and the dropped rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from diet_core.rule import Rule
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries.run_arrays import Decisions, read_shown_texts
from pages.parts.rule.outcome import kept_by, run_examples
from pages.shared.table import page_offset, text_columns
from pages.shared.widgets import figures
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.pruning.export_preview import ExportPreview, SourceRows
    from diet_core.store.store import Store

PAGE_ROWS = 20
_COLUMNS = {
    "Row": st.column_config.NumberColumn(format="localized", width=70, help="In the source, from 1."),
    "Split": st.column_config.TextColumn(width=70),
    "Label": st.column_config.TextColumn(width=90),
    "Was": st.column_config.TextColumn(width=90, help="The label in the source, where it is another one."),
    "By": st.column_config.TextColumn(width=80, help="What drops the row."),
    "Text": st.column_config.TextColumn(width=560),
}


@store_cache(4, "Reading the rows …")
def source_rows_of(store: Store, name: str, dataset_id: str) -> SourceRows:
    """Return the rows that an export of a data set version starts from."""
    from diet_core.pruning.export_preview import source_rows

    return source_rows(store, name)


def export_preview(
    store: Store, source: SourceRows, run: RunRecord | None, rule: Rule | None, decisions: Decisions | None
) -> ExportPreview:
    """Return what the export would hold."""
    from diet_core.pruning.export_preview import preview_of

    if run is None or rule is None:
        return preview_of(source, None, None, decisions)
    return preview_of(source, run_examples(store, run), kept_by(store, run, rule), decisions)


def counts(preview: ExportPreview) -> None:
    """Draw how many rows are exported and why the others are not."""
    outcome = preview.outcome
    by_rule, by_decision = outcome.n_dropped_by_rule, outcome.n_dropped_by_decision
    figures(
        [
            ("Rows in", preview.rows_in, "Rows of the source file, all splits."),
            ("Rows out", preview.rows, "Rows of the exported file."),
            ("By the rule", by_rule, "Training rows that the rule drops and no decision keeps."),
            ("By decision", by_decision, "Training rows that a decision drops and the rule keeps."),
            ("Relabelled", outcome.n_relabelled, "Training rows that are exported with a new label."),
        ]
    )
    st.caption(
        f"{preview.test_rows:,} rows of the test split are among those exported, unchanged. "
        "Columns, order and ids are the source's own."
    )


def rows(store: Store, source: SourceRows, preview: ExportPreview) -> None:
    """Draw the exported and the dropped rows, page by page."""
    st.subheader("Rows", anchor=False)
    exported, dropped = np.flatnonzero(preview.is_exported), np.flatnonzero(~preview.is_exported)
    tabs = st.tabs([f"Exported ({len(exported):,})", f"Dropped ({len(dropped):,})"])
    with tabs[0]:
        _rows(store, source, preview, exported, "exported")
    with tabs[1]:
        _rows(store, source, preview, dropped, "dropped")


def _rows(store: Store, source: SourceRows, preview: ExportPreview, at: NDArray[np.int64], key: str) -> None:
    from diet_core.pruning.export_preview import shown_rows

    if not len(at):
        st.caption("None.")
        return
    offset = page_offset(len(at), f"{key} {len(at)}", PAGE_ROWS)
    shown = shown_rows(source, preview, at[offset : offset + PAGE_ROWS])
    texts = read_shown_texts(store, source.info.dataset_id, shown["position"].tolist()).reset_index(drop=True)
    was = shown["label"].where(shown["label"] != shown["new_label"], "")
    is_dropped = key == "dropped"
    table = pd.DataFrame(
        {
            "Row": shown["source_row"] + 1,
            "Split": shown["split"],
            "Label": shown["label"] if is_dropped else shown["new_label"],
            **({"By": shown["by"]} if is_dropped else {"Was": was}),
            **text_columns(texts),
        }
    )
    st.dataframe(table, hide_index=True, height="content", key=f"{key} rows", column_config=_COLUMNS)
