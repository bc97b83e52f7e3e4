"""What is the same as long as a run is loaded: asked of the database once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_T = TypeVar("_T")
REMEMBERED: Final = 10_000  # answers of a run
_UNKNOWN: Final[Any] = object()


class RunConstants:
    """Answers by run and question; forgotten when the run is loaded again."""

    def __init__(self) -> None:
        """Know nothing."""
        self._of_runs: dict[str, dict[Hashable, Any]] = {}

    def known(self, run_id: str, question: Hashable, ask: Callable[[], _T]) -> _T:
        """Return an answer; `ask` is called where nobody asked before.

        Args:
            run_id: The run.
            question: What is asked about it.
            ask: Finds the answer; what it raises is not remembered.
        """
        answers = self._of_runs.setdefault(run_id, {})
        known: _T = answers.get(question, _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        answer = ask()
        if len(answers) >= REMEMBERED:
            answers.clear()
        answers[question] = answer
        return answer

    def forget(self, run_id: str) -> None:
        """Forget a run."""
        self._of_runs.pop(run_id, None)
