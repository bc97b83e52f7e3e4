"""Write the export and offer it: the file, its manifest, and the command that writes the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.runs.folder import find_run_folder
from diet_core.store.loading.datasets import find_dataset
from diet_core.store.queries.run_arrays import find_last_event

if TYPE_CHECKING:
    from diet_core.pruning.export_preview import Choice
    from diet_core.store.store import Store

# A download passes through the server's memory; larger files are fetched from the folder.
MAX_BYTES = 500 * 2**20


def download(store: Store, choice: Choice) -> None:
    """Draw the button that writes the file, then those that download it; another choice starts again."""
    from diet_core.pruning.export_preview import command

    dataset_id = find_dataset(store, choice.name).dataset_id
    asked = (choice, find_last_event(store, dataset_id) if choice.with_decisions else 0)
    prepared = st.session_state.get("prepared export")
    with st.container(border=True):
        if prepared is None or prepared["asked"] != asked or not prepared["file"].exists():
            if st.button("Prepare download", type="primary", icon=":material/inventory_2:", key="prepare"):
                st.session_state["prepared export"] = _prepare(store, choice, asked)
                st.rerun()
            st.caption("Writes the file and its manifest; then both can be downloaded here.")
        else:
            _offer(prepared)
        with st.expander("The same on the command line", icon=":material/terminal:"):
            st.code(command(choice), language=None, wrap_lines=True)


def _prepare(store: Store, choice: Choice, asked: tuple[Any, ...]) -> dict[str, Any]:
    from diet_core.pruning.export_preview import prepare

    with st.spinner("Writing …"):
        run = find_run_folder(store.workspace, choice.run_id, "score") if choice.run_id else None
        file, content = prepare(store, choice, run)
    return {"asked": asked, "file": file, "manifest": Path(content["manifest"]), "content": content}


def _offer(prepared: dict[str, Any]) -> None:
    file, manifest, content = prepared["file"], prepared["manifest"], prepared["content"]
    size = file.stat().st_size
    with st.container(horizontal=True, vertical_alignment="center"):
        if size <= MAX_BYTES:
            _button(f"Download {file.name}", file, key="download file", icon="download", type="primary")
        help = "Source and hash, rule, run, versions, every dropped or relabelled id with who and when."
        _button("Manifest", manifest, key="download manifest", icon="receipt_long", help=help)
    st.caption(
        f"{content['rows']:,} rows, {_size(size)}: {content['dropped']:,} dropped, "
        f"{content['relabelled']:,} relabelled, {content['test_rows']:,} test rows."
    )
    if size > MAX_BYTES:
        st.info("The file is too large for a download in the browser. It is on the server:")
        st.code(str(file), language=None)


def _button(title: str, file: Path, *, key: str, icon: str, **settings: Any) -> None:
    """Draw a download; the file is read at the click, so that a rerun does not keep it in memory."""
    icon = f":material/{icon}:"
    st.download_button(title, file.read_bytes, file.name, key=key, icon=icon, on_click="ignore", **settings)


def _size(n_bytes: int) -> str:
    """Return a size in the unit that people use.

    >>> [_size(n) for n in (0, 900, 130_000, 5_400_000)]
    ['0 B', '900 B', '127 KiB', '5.1 MiB']
    """
    if n_bytes < 1024:
        return f"{n_bytes} B"
    return f"{n_bytes / 1024:.0f} KiB" if n_bytes < 2**20 else f"{n_bytes / 2**20:.1f} MiB"
