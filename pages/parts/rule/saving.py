"""Rules under names: save the one that is shown; load, download or delete a saved one."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import to_json
from diet_core.errors import DietError
from diet_core.pruning.saved_rules import SavedRule, delete_rule, save_rule, saved_rules
from diet_core.rule import Rule, options_of
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries.examples import list_available_scores
from pages.parts.rule.controls import IN_URL, rule_address
from pages.shared.address import clear_url, reset_widgets, update_url
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.store import Store

_MESSAGE = "message about saved rules"


def rule_files_panel(store: Store, run: RunRecord, rule: Rule, is_decided: bool) -> None:
    """Draw the buttons that save a rule and load one, and the command that does the same."""
    with st.container(horizontal=True):
        with st.popover("Save rule", icon=":material/save:"):
            _save(store, run, rule)
            _command(run, options_of(rule), is_decided)
        with st.popover("Saved rules", icon=":material/folder_open:"):
            _saved(store, run, is_decided)
    if message := st.session_state.pop(_MESSAGE, None):
        st.toast(plain(message), icon=":material/info:")


def _command(run: RunRecord, words: list[str], is_decided: bool) -> None:
    st.caption("Retrain with it on the command line:")
    command = ["python -m diet_core retrain", run.run_id, *words, *(["--decisions"] if is_decided else [])]
    st.code(" ".join(command), language=None, wrap_lines=True)


def _save(store: Store, run: RunRecord, rule: Rule) -> None:
    """Draw a name, the button that saves the rule under it, and the rule as a file."""
    st.caption(f"The rule: {plain(rule.in_words)}.")
    name = st.text_input("Name", key="rule name", max_chars=64, placeholder="a-z, 0-9, _ and -")
    replaces = st.checkbox("Replace a rule of this name", key="replace rule")
    if refused := st.session_state.get("rule not saved"):
        st.error(plain(refused), icon=":material/error:")
    with st.container(horizontal=True):
        on_save = partial(_on_save, store, run, rule, name.strip(), replaces)
        st.button("Save", type="primary", key="save rule", disabled=not name, on_click=on_save)
        st.download_button(
            "Download as JSON",
            json.dumps({"rule": to_json(rule)}, indent=2),
            f"{name or 'rule'}.json",
            "application/json",
            icon=":material/download:",
            key="download rule",
            on_click="ignore",
        )


def _on_save(store: Store, run: RunRecord, rule: Rule, name: str, replaces: bool) -> None:
    origin = {"run_id": run.run_id, "dataset": run.dataset.name}
    try:
        save_rule(store.workspace, name, rule, **origin, overwrite=replaces)
        st.session_state["rule not saved"] = None
        st.session_state[_MESSAGE] = f"Rule {name} is saved."
    except DietError as error:
        st.session_state["rule not saved"] = str(error)


def _saved(store: Store, run: RunRecord, is_decided: bool) -> None:
    """Draw the saved rules, and what can be done with the chosen one."""
    rules, damaged = saved_rules(store.workspace)
    for sentence in damaged:
        st.caption(plain(sentence))
    if not rules:
        st.caption("No rule is saved yet.")
        return
    by_name = {saved.name: saved for saved in rules}
    chosen = by_name[st.selectbox("Rule", list(by_name), key="saved rule")]
    st.caption(_in_words(chosen))
    is_usable = chosen.rule.by in list_available_scores(store, run.run_id)
    if not is_usable:
        st.caption(f"This run has no {plain(chosen.rule.by)}.")
    with st.container(horizontal=True):
        st.button(
            "Load",
            type="primary",
            key="load rule",
            disabled=not is_usable,
            on_click=_load,
            args=[run, chosen.rule],
        )
        st.button(
            "Delete", icon=":material/delete:", key="delete rule", on_click=_delete, args=[store, chosen]
        )
    _command(run, ["--rule", chosen.name], is_decided)


def _in_words(saved: SavedRule) -> str:
    """Return what a rule keeps and where it comes from."""
    origin = [saved.saved_at and saved.saved_at[:10], saved.dataset]
    return plain(". ".join(filter(None, [saved.rule.in_words, ", ".join(filter(None, origin))])))


def _load(run: RunRecord, rule: Rule) -> None:
    """Write the rule into the URL and let the controls begin again with it; decisions stay as they are."""
    clear_url(*IN_URL)
    address = rule_address(run, rule, with_decisions=True)
    update_url({key: value for key, value in address.items() if key in IN_URL})
    st.session_state["score"] = st.session_state["window of"] = rule.by
    reset_widgets()


def _delete(store: Store, saved: SavedRule) -> None:
    try:
        delete_rule(store.workspace, saved.name)
        st.session_state[_MESSAGE] = f"Rule {saved.name} is deleted."
    except DietError as error:
        st.session_state[_MESSAGE] = str(error)
