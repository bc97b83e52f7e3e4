"""Export: the exported and the dropped rows, counted and seen before the file is written."""

import streamlit as st

from diet_core.store.loading.datasets import find_dataset
from pages.parts.export.choice import chosen_export
from pages.parts.export.download import download
from pages.parts.export.preview import counts, export_preview, rows, source_rows_of
from pages.parts.rule.controls import show_errors
from pages.parts.rule.outcome import decisions_of
from pages.parts.rule.preview import classes, warn_of_classes
from pages.shared.workspace import opened_store

store = opened_store()

controls, preview = st.columns([4, 9], gap="medium")
with controls:
    choice, run = chosen_export(store)

dataset_id = find_dataset(store, choice.name).dataset_id
source = source_rows_of(store, choice.name, dataset_id)
decisions = decisions_of(store, dataset_id) if choice.with_decisions else None
with preview, show_errors():
    export = export_preview(store, source, run, choice.rule, decisions)

with preview:
    counts(export)
    download(store, choice)
    warn_of_classes(export.outcome)
    classes(export.outcome)

rows(store, source, export)
