"""Export: what leaves, counted and seen before it is written."""

import streamlit as st

from pages.parts.export import preview as export_preview
from pages.parts.export.choice import chosen_export
from pages.parts.export.download import download
from pages.parts.rule.controls import told_here
from pages.parts.rule.outcome import decisions_of
from pages.shared.workspace import opened_store

store = opened_store()

controls, preview = st.columns([4, 9], gap="medium")
with controls:
    choice, run = chosen_export(store)

source = export_preview.source_rows_of(store, choice.name)
decisions = decisions_of(store, source.info.dataset_id) if choice.with_decisions else None
with preview, told_here():
    found = export_preview.found(store, source, run, choice.rule, decisions)

with preview:
    export_preview.counts(found)
    download(store, choice)
    export_preview.classes(found)

export_preview.rows(store, source, found)
