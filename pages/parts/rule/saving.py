"""Rules under names: save the one that is shown, load, download or delete a saved one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import to_json
from diet_core.errors import DietError
from diet_core.rule import Rule, options_of
from diet_core.store.queries.examples import list_available_scores
from pages.parts.rule.controls import rule_address
from pages.shared.address import clear_url, reset_widgets
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.pruning.saved_rules import SavedRule
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

_OF_RULE = ("kind", "score", "keep", "drop", "per_class", "low", "high", "draw")
_MEMO = "what became of a saved rule"


def rule_files_panel(store: Store, run: RunRecord, rule: Rule, is_decided: bool) -> None:
    """Draw the buttons that save a rule and load one, and the command that does the same."""
    with st.container(horizontal=True):
        with st.popover("Save rule", icon=":material/save:"):
            _save(store, run, rule)
            _command(run, options_of(rule), is_decided)
        with st.popover("Saved rules", icon=":material/folder_open:"):
            _saved(store, run, is_decided)
    if memo := st.session_state.pop(_MEMO, None):
        st.toast(plain(memo), icon=":material/info:")


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
        st.button(
            "Save",
            type="primary",
            key="save rule",
            disabled=not name,
            on_click=_on_save,
            args=[store, run, rule, name, replaces],
        )
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
    from diet_core.pruning.saved_rules import save_rule

    st.session_state["rule not saved"] = None
    try:
        save_rule(
            store.workspace,
            name.strip(),
            rule,
            run_id=run.run_id,
            dataset=run.dataset.name,
            overwrite=replaces,
        )
    except DietError as error:
        st.session_state["rule not saved"] = str(error)
        return
    st.session_state[_MEMO] = f"Rule {name.strip()} is saved."


def _saved(store: Store, run: RunRecord, is_decided: bool) -> None:
    """Draw the saved rules, and what can be done with the chosen one."""
    from diet_core.pruning.saved_rules import saved_rules

    found, damaged = saved_rules(store.workspace)
    for sentence in damaged:
        st.caption(plain(sentence))
    if not found:
        st.caption("No rule is saved yet.")
        return
    named = {saved.name: saved for saved in found}
    chosen = named[st.selectbox("Rule", list(named), key="saved rule")]
    st.caption(_told(chosen))
    available = list_available_scores(store, run.run_id)
    is_usable = chosen.rule.by in available
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


def _told(saved: SavedRule) -> str:
    """Return what a rule keeps and where it comes from."""
    origin = [saved.saved_at and saved.saved_at[:10], saved.dataset]
    return plain(". ".join(filter(None, [saved.rule.in_words, ", ".join(filter(None, origin))])))


def _load(run: RunRecord, rule: Rule) -> None:
    """Let the address say the rule and the controls begin again with it; decisions stay as they are."""
    clear_url(*_OF_RULE)
    address = rule_address(run, rule, with_decisions=True)
    st.query_params.update({key: value for key, value in address.items() if key in _OF_RULE})
    st.session_state["score"] = rule.by
    st.session_state["window of"] = rule.by
    reset_widgets()


def _delete(store: Store, saved: SavedRule) -> None:
    from diet_core.pruning.saved_rules import delete_rule

    try:
        delete_rule(store.workspace, saved.name)
        st.session_state[_MEMO] = f"Rule {saved.name} is deleted."
    except DietError as error:
        st.session_state[_MEMO] = str(error)
