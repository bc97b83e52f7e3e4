"""Prune: what a rule takes out, seen before it is done; then retrain on what stays."""

import streamlit as st

from diet_core.tables import SCORES, meaning_of
from pages.shared import prune_preview
from pages.shared.pickers import picked_run, scored_runs
from pages.shared.quick_look import quick_look_caption
from pages.shared.retrain_panel import retrain_panel
from pages.shared.retrain_results import retrain_results
from pages.shared.rule_controls import chosen_decisions, chosen_rule, rule_address, told_here
from pages.shared.workspace import opened_store

store = opened_store()
scored_runs(store)

controls, preview = st.columns([4, 9], gap="medium")
with controls:
    run = picked_run(store)
    quick_look_caption(run.encoder)
    decisions = store.effective_decisions(run.dataset.dataset_id)
    rule = chosen_rule(store, run, "prune")
    is_decided = chosen_decisions(len(decisions), "prune")

ranked = prune_preview.ranked_examples(store, run, rule)
applied = decisions if is_decided else None
with preview, told_here():
    found = prune_preview.found(ranked, rule, applied, run)

with preview:
    prune_preview.counts(found, ranked, rule)
    st.caption(SCORES[rule.by].title, help=meaning_of(rule.by, run.grand))
    prune_preview.histogram(ranked, found, rule)
with controls:
    st.page_link(
        "pages/export_data.py",
        label="Export with this rule",
        icon=":material/download:",
        query_params=rule_address(run, rule, is_decided) | {"dataset": run.dataset.name},
    )

prune_preview.classes(found)
prune_preview.examples_at_cuts(store, run, ranked, found, rule)

st.subheader("Retrain", anchor=False)
retrain_panel(store, run, rule, found, applied)
retrain_results(store, run)
