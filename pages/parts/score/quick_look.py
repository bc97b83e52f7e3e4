"""The quick look: a frozen run first, so that there are scores while the fine-tuning is under way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.encoders import FROZEN, QUICK_LOOK, TUNED
from diet_core.errors import RunStateError
from diet_core.runs import executor
from diet_core.runs.folder import RunFolder
from diet_core.runs.score_run import lay_out_scoring, lay_out_with_quick_look
from diet_core.store.loading.datasets import DatasetSummary, read_examples
from pages.parts.score.settings import ScoreSettings
from pages.shared.job_panel import is_done, is_living

if TYPE_CHECKING:
    from diet_core.store.store import Store

_HELP = (
    "First embeds each text once and trains only a linear head per seed, in about the time of one forward "
    "pass. Its scores are there while the encoder is still being fine-tuned, which is what the paper does."
)


def quick_look_wanted(data_set: DatasetSummary, settings: ScoreSettings, *, has_run: bool) -> bool:
    """Draw the choice, on where the data set has no run yet; a frozen run needs no other before it."""
    is_tuned = settings.training.encoder == TUNED
    is_wanted = st.checkbox(
        "Quick look first",
        value=not has_run,
        key=f"quick look {data_set.info.dataset_id}",
        disabled=not is_tuned,
        help=_HELP,
    )
    return is_tuned and is_wanted


def start_scoring(
    store: Store, data_set: DatasetSummary, settings: ScoreSettings, *, is_quick_first: bool
) -> None:
    """Lay the run out, with the quick look before it where that is wanted, and start both workers."""
    examples = read_examples(store, data_set.info.dataset_id)
    chosen = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    folders: tuple[RunFolder, ...]
    if is_quick_first:
        folders = lay_out_with_quick_look(store.workspace, data_set.info, examples, **chosen)
    else:
        folders = (lay_out_scoring(store.workspace, data_set.info, examples, **chosen),)
    for folder in folders:
        executor.start(folder)


def quick_look_note(runs: Sequence[RunFolder]) -> None:
    """Say what can be done with a quick look while a fine-tuning of the data set waits or works."""
    quick = [run for run in runs if _encoder(run) == FROZEN]
    if not any(_encoder(run) == TUNED and is_living(run) for run in runs):
        return
    done = next((run for run in quick if is_done(run)), None)
    first = "The quick look goes first. Its scores" if done is None else "The scores of the quick look"
    if done is not None or any(is_living(run) for run in quick):
        st.info(f"{first} can be explored while the fine-tuning is under way.", icon=":material/bolt:")
    if done is not None:
        st.page_link(
            "pages/explore.py",
            label="Explore the quick look",
            icon=":material/bar_chart:",
            query_params={"run": done.run_id},
        )


def quick_look_caption(encoder: str) -> None:
    """Say that scores come from a frozen encoder; nothing where it was fine-tuned."""
    if encoder == FROZEN:
        st.caption(f":material/bolt: {QUICK_LOOK}")


def _encoder(folder: RunFolder) -> str | None:
    try:
        return folder.config().settings.encoder
    except RunStateError:
        return None
