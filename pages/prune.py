"""Prune: what a rule keeps and drops, seen before it is done; then retrain on what it keeps."""

import streamlit as st

from diet_core.pruning.cuts import groups_of
from pages.parts.prune.cost import saved_time
from pages.parts.prune.cuts import examples_at_cuts
from pages.parts.prune.duplicates import near_duplicates
from pages.parts.retrain.panel import retrain_panel
from pages.parts.retrain.results import retrain_results
from pages.parts.rule import preview as rule_preview
from pages.parts.rule.controls import chosen_decisions, chosen_kind, chosen_rule, rule_address, show_errors
from pages.parts.rule.outcome import decisions_of, outcome_of, ranked_examples
from pages.parts.rule.saving import rule_files_panel
from pages.parts.score.quick_look import quick_look_caption
from pages.shared.pickers import picked_run, scored_runs
from pages.shared.workspace import opened_store

store = opened_store()
scored_runs(store)

of_run, of_kind = st.columns([4, 9], gap="medium", vertical_alignment="bottom")
with of_run:
    run = picked_run(store)
with of_kind, st.container(horizontal=True, vertical_alignment="bottom"):
    kind = chosen_kind("prune")
    st.space("stretch")
    files = st.container(width="content")

controls, preview = st.columns([4, 9], gap="medium")
with controls:
    quick_look_caption(run.encoder)
    decisions = decisions_of(store, run.dataset.dataset_id)
    rule = chosen_rule(store, run, "prune", kind)
    is_decided = chosen_decisions(len(decisions), "prune")
with files:
    rule_files_panel(store, run, rule, is_decided)

with preview, show_errors():
    ranked = ranked_examples(store, run, rule.by)
    outcome = outcome_of(store, run, rule, decisions if is_decided else None)
groups = groups_of(ranked, rule, outcome.by_rule)

with preview:
    rule_preview.counts(outcome, groups, rule)
    saved_time(store, run, outcome)
    rule_preview.warn_of_classes(outcome)
    rule_preview.histogram(ranked, outcome, groups, rule, run.grand)
with controls:
    st.page_link(
        "pages/export_data.py",
        label="Export with this rule",
        icon=":material/download:",
        query_params=rule_address(run, rule, is_decided) | {"dataset": run.dataset.name},
    )

rule_preview.classes(outcome)
examples_at_cuts(store, ranked, outcome, groups, rule)
near_duplicates(store, ranked.examples, outcome)

st.subheader("Retrain", anchor=False)
retrain_panel(store, run, rule, outcome, is_decided)
retrain_results(store, run)
