"""State, progress, time left and log of a run, read from its folder; cancel and resume."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import streamlit as st

from diet_core.encoders import with_tag
from diet_core.errors import RunStateError
from diet_core.runs import executor
from diet_core.runs.cost import duration_in_words
from diet_core.runs.folder import RunFolder, all_runs
from pages.shared.errors import error_box, plain

if TYPE_CHECKING:
    from diet_core.config import Workspace
    from diet_core.runs.record import RunStatus

SECONDS_BETWEEN_LOOKS = 1.0
LOG_TAIL_BYTES = 8_000
# Colours of a terminal, which libraries print.
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_LIVING = ("queued", "running", "stopping")
_STATES: dict[str, tuple[str, str, Literal["gray", "blue", "orange", "green", "red"]]] = {
    "queued": ("Queued", ":material/hourglass_empty:", "gray"),
    "running": ("Running", ":material/play_circle:", "blue"),
    "stopping": ("Stopping", ":material/stop_circle:", "orange"),
    "done": ("Done", ":material/check_circle:", "green"),
    "failed": ("Failed", ":material/error:", "red"),
    "cancelled": ("Cancelled", ":material/cancel:", "gray"),
    "interrupted": ("Interrupted", ":material/power_off:", "orange"),
}
_HINTS = {
    "queued": "It starts when the runs before it have finished.",
    "stopping": "It stops after the current batch. Finished work is kept.",
    "cancelled": "It was stopped. Resume continues from there.",
    "interrupted": "Its process ended before the run was done. Resume repeats two minutes of work at most.",
}
_PHASES = {"train": "training", "score": "scoring", "gradients": "computing gradient norms"}


def job_panel(folder: RunFolder) -> None:
    """Draw a run; while it lives the panel refreshes itself, and the whole page once when it ends.

    For scoring and retraining runs in any state. It shows no results: the page draws them for a run that
    is done. Nothing is kept in the session, so a page refresh or a server restart changes nothing.

    Args:
        folder: Of the run.
    """
    with error_box():
        is_living = _state(folder) in _LIVING
        pause = SECONDS_BETWEEN_LOOKS if is_living else None
        st.fragment(_panel, run_every=pause, key=f"job {folder.run_id}")(folder, is_living)


def is_living(folder: RunFolder) -> bool:
    """Return whether the run is queued, running or stopping; False for a damaged folder."""
    return _state_or_none(folder) in _LIVING


def is_done(folder: RunFolder) -> bool:
    """Return whether the run is done; False for a damaged folder."""
    return _state_or_none(folder) == "done"


def living_runs(workspace: Workspace) -> list[RunFolder]:
    """Return the runs of a workspace that are queued, running or stopping, the oldest first."""
    return [folder for folder in reversed(all_runs(workspace)) if is_living(folder)]


def _panel(folder: RunFolder, was_living: bool) -> None:
    # A fragment that refreshes itself runs outside of the page's own error box.
    with error_box(), st.container(border=True):
        state = _state(folder)
        if was_living and state not in _LIVING:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            title, icon, color = _STATES[state]
            st.badge(title, icon=icon, color=color)
            st.text(with_tag(folder.run_id, folder.config().settings.encoder), width="stretch")
            _buttons(folder, state)
        _progress(folder, state)
        _log(folder, state)


def _state(folder: RunFolder) -> str:
    """Return the run's state, `stopping` between the request to stop and the end of its process."""
    status = folder.status()
    if status.is_living:
        return "stopping" if folder.cancel_file.exists() else status.state
    return "stopping" if not status.is_done and folder.is_locked() else status.state


def _state_or_none(folder: RunFolder) -> str | None:
    try:
        return _state(folder)
    except RunStateError:
        return None


def _buttons(folder: RunFolder, state: str) -> None:
    """Draw what can be done with the run now."""
    if state in _LIVING:
        st.button(
            "Cancel",
            icon=":material/stop:",
            key=f"cancel {folder.run_id}",
            disabled=state == "stopping",
            help="Finished work is kept; the run can be resumed.",
            # As a callback: a click is lost where the page is drawn again before it comes to this line.
            on_click=_cancel,
            args=(folder,),
        )
    if state in ("failed", "cancelled", "interrupted"):
        _resume_button(folder)


def _cancel(folder: RunFolder) -> None:
    with suppress(RunStateError):  # it has ended meanwhile, which the panel shows
        executor.cancel(folder)


def _resume_button(folder: RunFolder) -> None:
    refused = f"resume refused {folder.run_id}"
    is_refused = refused in st.session_state
    label = "Resume anyway" if is_refused else "Resume"
    if st.button(label, icon=":material/play_arrow:", key=f"resume {folder.run_id}"):
        try:
            with st.spinner("Starting …"):
                executor.resume(folder, allow_other_environment=is_refused)
        except RunStateError as error:
            st.session_state[refused] = str(error)
        else:
            st.session_state.pop(refused, None)
        st.rerun()


def _progress(folder: RunFolder, state: str) -> None:
    """Draw how far the run is, or why it stopped."""
    status = folder.status()
    if state == "failed":
        st.error(plain(str(status.error or "See the log.")), icon=":material/error:")
    if hint := _HINTS.get(state):
        st.caption(hint)
    if refusal := st.session_state.get(f"resume refused {folder.run_id}"):
        st.warning(plain(refusal), icon=":material/warning:")
    if state == "done":
        if seconds := (status.seconds or {}).get("total"):
            st.caption(f"{status.total:,} steps in {duration_in_words(seconds)}.")
    elif status.total:
        st.progress(min(1.0, status.step / status.total), text=plain(_where(folder, status, state)))
    elif state == "running":
        st.progress(0.0, text="Loading the model and reading the texts …")


def _where(folder: RunFolder, status: RunStatus, state: str) -> str:
    """Return step, speed and time left in one line."""
    at_most = "at most " if status.at_most else ""
    parts = [f"Step {status.step:,} of {at_most}{status.total:,}"]
    names = [training.name for training in folder.config().trainings]
    if state == "running" and status.training in names:
        at = names.index(status.training) + 1
        parts.insert(0, f"Training {at} of {at_most}{len(names)}, {_PHASES[str(status.phase)]}")
        if status.examples_per_second:
            parts.append(f"{status.examples_per_second:,.0f} examples/s")
        if status.eta_seconds is not None:
            parts.append(f"{at_most}{duration_in_words(status.eta_seconds)} left")
    return " · ".join(parts)


def _log(folder: RunFolder, state: str) -> None:
    """Draw the end of the log, opened for a run that failed."""
    with st.expander("Log", expanded=state == "failed", icon=":material/article:"):
        st.code(log_tail(folder) or "Nothing yet.", language=None, wrap_lines=True, height=220)


def log_tail(folder: RunFolder) -> str:
    """Return the last lines of a run's log, whole ones."""
    if not folder.log_file.exists():
        return ""
    with folder.log_file.open("rb") as log:
        size = log.seek(0, 2)
        log.seek(max(0, size - LOG_TAIL_BYTES))
        text = log.read().decode("utf-8", errors="replace")
    text = _ESCAPES.sub("", text)
    return text if size <= LOG_TAIL_BYTES else text.partition("\n")[2]
