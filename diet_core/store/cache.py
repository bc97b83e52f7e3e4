"""What the store remembers while it is open: answers about each run, and what searches found."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import duckdb

_T = TypeVar("_T")
MEMORY: Final = "memory"  # the attached database that is gone when the store is closed
MAX_ANSWERS: Final = 1_000  # of a run, pages of its tables among them; the oldest is forgotten
MAX_SEARCHES: Final = 12  # the oldest is forgotten
_UNKNOWN: Final[Any] = object()


class RunCache:
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
        if len(answers) >= MAX_ANSWERS:
            answers.pop(next(iter(answers), None), None)
        answers[question] = answer
        return answer

    def forget(self, run_id: str) -> None:
        """Forget a run."""
        self._of_runs.pop(run_id, None)


class SearchCache:
    """The last searches of texts, each as a table of positions in memory."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._lock = threading.Lock()
        self._tables: dict[tuple[str, str], str] = {}
        self._prefix = f"{MEMORY}.search_{secrets.token_hex(4)}"  # two stores of one file share its memory
        self._n_made = 0

    def find(self, cursor: duckdb.DuckDBPyConnection, dataset_id: str, words: str) -> str:
        """Return the table whose column `position` holds the texts that contain `words`, whatever the case.

        Args:
            cursor: Of the store.
            dataset_id: The version whose texts and second texts are searched.
            words: What they contain, as it stands.
        """
        with self._lock:
            name = self._tables.pop((dataset_id, words), None) or self._search(cursor, dataset_id, words)
            self._tables[dataset_id, words] = name  # the last used one is the last to be forgotten
            return name

    def _search(self, cursor: duckdb.DuckDBPyConnection, dataset_id: str, words: str) -> str:
        self._n_made += 1
        name = f"{self._prefix}_{self._n_made}"
        cursor.execute(
            f"CREATE TABLE {name} AS SELECT position::INTEGER AS position FROM examples WHERE dataset_id = ? "
            "AND (contains(lower(text), lower(?)) OR contains(lower(text_pair), lower(?)))",
            [dataset_id, words, words],
        )
        if len(self._tables) >= MAX_SEARCHES:
            cursor.execute(f"DROP TABLE {self._tables.pop(next(iter(self._tables)))}")
        return name
