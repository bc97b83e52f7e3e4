"""The tricks of store and pages: how each is switched off, and the controls that it is there for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bench.pages.actions import Scene, new_word, search
from bench.pages.scenes import SCENES
from diet_core.store.cache import RunCache, SearchCache


@dataclass(frozen=True)
class PageTrick:
    """A trick of store or pages.

    Attributes:
        switch_off: Puts the plain way in its place, in this process.
        page: Whose controls show it.
        scene: What is done there.
    """

    switch_off: Callable[[], None]
    page: str
    scene: Scene


def _search_again() -> None:
    _replace(SearchCache, "find", lambda searches, *question: searches._search(*question))


def _ask_again() -> None:
    _replace(RunCache, "known", lambda answers, run_id, question, ask: ask())


def _replace(owner: Any, name: str, plain: Callable[..., Any]) -> None:
    setattr(owner, name, plain)


def _collect_after_runs() -> None:
    os.environ["STREAMLIT_RUNNER_POST_SCRIPT_GC"] = "true"


_FILTER_ROW, *_ = SCENES["explore"]
_TWO_WORDS: Final = {"two new words": search(lambda turn: new_word(turn) + new_word(turn + 1))}

PAGE_TRICKS: Final = {
    "remembered-searches": PageTrick(_search_again, "explore", _TWO_WORDS),
    "run-cache": PageTrick(_ask_again, "explore", _FILTER_ROW),
    "no-collection": PageTrick(_collect_after_runs, "explore", _FILTER_ROW),
}
