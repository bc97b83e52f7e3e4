"""Write the export and hand it over: the file, its manifest, and the command that makes the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.store.loading.datasets import find_dataset

if TYPE_CHECKING:
    from diet_core.pruning.export_preview import Choice
    from diet_core.store.store import Store

# A download passes through the server's memory; larger files are fetched from the folder.
MAX_BYTES = 500 * 2**20


def download(store: Store, choice: Choice) -> None:
    """Draw the button that writes the file, then those that download it; another choice starts anew."""
    from diet_core.pruning.export_preview import command

    asked = (choice, _last_decision(store, choice))
    prepared = st.session_state.get("prepared export")
    with st.container(border=True):
        if prepared is None or prepared["asked"] != asked or not prepared["file"].exists():
            if st.button("Prepare download", type="primary", icon=":material/inventory_2:", key="prepare"):
                prepared = _prepared(store, choice, asked)
                st.session_state["prepared export"] = prepared
                st.rerun()
            st.caption("Writes the file and its manifest; then both can be downloaded here.")
        else:
            _hand_over(prepared)
        with st.expander("The same on the command line", icon=":material/terminal:"):
            st.code(command(choice), language=None, wrap_lines=True)


def _last_decision(store: Store, choice: Choice) -> int:
    """Return what changes with every decision, 0 where none counts."""
    from diet_core.store.queries.run_arrays import find_last_event

    return find_last_event(store, find_dataset(store, choice.name).dataset_id) if choice.with_decisions else 0


def _prepared(store: Store, choice: Choice, asked: tuple[Any, ...]) -> dict[str, Any]:
    from diet_core.pruning.export_preview import prepare
    from diet_core.runs.folder import find_run_folder

    with st.spinner("Writing …"):
        run = find_run_folder(store.workspace, choice.run_id, "score") if choice.run_id else None
        file, content = prepare(store, choice, run)
    return {"asked": asked, "file": file, "manifest": Path(content["manifest"]), "content": content}


def _hand_over(prepared: dict[str, Any]) -> None:
    file, manifest, content = prepared["file"], prepared["manifest"], prepared["content"]
    size = file.stat().st_size
    with st.container(horizontal=True, vertical_alignment="center"):
        if size <= MAX_BYTES:
            # A callable is read at the click only: a rerun does not hold the file in memory.
            st.download_button(
                f"Download {file.name}",
                file.read_bytes,
                file_name=file.name,
                type="primary",
                icon=":material/download:",
                key="download file",
                on_click="ignore",
            )
        st.download_button(
            "Manifest",
            manifest.read_bytes,
            file_name=manifest.name,
            mime="application/json",
            icon=":material/receipt_long:",
            key="download manifest",
            on_click="ignore",
            help="Source and hash, rule, run, versions, every dropped or relabelled id with who and when.",
        )
    st.caption(
        f"{content['rows']:,} rows, {_size(size)}: {content['dropped']:,} dropped, "
        f"{content['relabelled']:,} relabelled, {content['test_rows']:,} test rows."
    )
    if size > MAX_BYTES:
        st.info("The file is too large for a download in the browser. It is on the server:")
        st.code(str(file), language=None)


def _size(n_bytes: int) -> str:
    """Return a size in the unit that people use.

    >>> [_size(n) for n in (0, 900, 130_000, 5_400_000)]
    ['0 B', '900 B', '127 KiB', '5.1 MiB']
    """
    if n_bytes < 1024:
        return f"{n_bytes} B"
    return f"{n_bytes / 1024:.0f} KiB" if n_bytes < 2**20 else f"{n_bytes / 2**20:.1f} MiB"
