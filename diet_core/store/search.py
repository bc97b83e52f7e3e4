"""What was searched for: found by the words of the texts or in the texts, then remembered by position."""

from __future__ import annotations

import re
import secrets
import threading
from typing import TYPE_CHECKING, Final

from diet_core.store.connection import MEMORY
from diet_core.store.words import SPACE, having_words, n_places

if TYPE_CHECKING:
    from diet_core.store.store import Store

REMEMBERED: Final = 12  # searches; the oldest is forgotten
LEAST: Final = 2  # letters that leave out enough texts
MANY: Final = 2  # places of words per text: more are put together as slowly as the texts are read
_PLAIN: Final = re.compile("[A-HJ-Za-hj-z0-9]+")
# What a regular expression finds as lowered texts would: for i see below, and the long ſ is an s to it.
_ALIKE: Final = re.compile("[A-HJ-RT-Za-hj-rt-z0-9 ]{2,}")


def containing(column: str, words: str) -> tuple[str, list[str]]:
    """Return the condition that a text contains `words`, whatever the case, and its values.

    To lower a million texts costs more than anything else, so only those are lowered that a regular
    expression leaves: it looks for the longest part of the words in plain letters, without i (the Turkish İ
    becomes i when it is lowered, which the expression does not know).

    Args:
        column: Of the texts.
        words: What they contain, as it stands.
    """
    if _ALIKE.fullmatch(words):
        return f"regexp_matches({column}, ?, 'i')", [words]
    exact, part = f"contains(lower({column}), lower(?))", max(_PLAIN.findall(words), key=len, default="")
    if len(part) < LEAST:
        return exact, [words]
    # A nested CASE, for nothing else keeps the database from trying the dearest test on every text.
    left = f"CASE WHEN contains({column}, ?) THEN true ELSE {exact} END"
    return (
        f"CASE WHEN regexp_matches({column}, ?, 'i') THEN {left} ELSE false END",
        [re.escape(part), words, words],
    )


class Searches:
    """The searches that the store remembers, each as a table of positions in memory."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._lock = threading.Lock()
        self._tables: dict[tuple[str, str], str] = {}
        self._shapes: dict[str, tuple[list[str], int]] = {}  # of the texts, by data set version
        self._prefix = f"{MEMORY}.search_{secrets.token_hex(4)}"  # two stores of one file share its memory
        self._n_made = 0

    def table(self, store: Store, dataset_id: str, words: str) -> str:
        """Return the table whose column `position` holds the texts that contain `words`, whatever the case.

        Args:
            store: Where.
            dataset_id: The version whose texts and second texts are searched.
            words: What they contain, as it stands.
        """
        with self._lock:
            known = self._tables.pop((dataset_id, words), None)
            name = known or self._made(store, dataset_id, words)
            self._tables[dataset_id, words] = name  # the last used one is the last to be forgotten
            return name

    def _made(self, store: Store, dataset_id: str, words: str) -> str:
        self._n_made += 1
        name = f"{self._prefix}_{self._n_made}"
        columns, n = self._texts(store, dataset_id)
        with store.cursor() as cursor:
            if SPACE not in words and n_places(cursor, dataset_id, words) <= MANY * n:
                query, values = having_words(dataset_id, words)
            else:
                query, values = _reading(dataset_id, columns, words)
            cursor.execute(f"CREATE TABLE {name} AS {query}", values)
            if len(self._tables) >= REMEMBERED:
                oldest = next(iter(self._tables))
                cursor.execute(f"DROP TABLE {self._tables.pop(oldest)}")
        return name

    def _texts(self, store: Store, dataset_id: str) -> tuple[list[str], int]:
        """Return the columns of texts that hold any and the number of rows: most have no second texts."""
        if dataset_id not in self._shapes:
            sql = "SELECT count(*), count(text_pair) FROM examples WHERE dataset_id = ?"
            n, n_pairs = store.rows(sql, [dataset_id])[0]
            self._shapes[dataset_id] = (["text", "text_pair"] if n_pairs else ["text"], n)
        return self._shapes[dataset_id]


def _reading(dataset_id: str, columns: list[str], words: str) -> tuple[str, list[str]]:
    """Return a query that reads all texts for the positions of those that contain `words`, and its values."""
    conditions = [containing(column, words) for column in columns]
    where = " OR ".join(sql for sql, _ in conditions)
    return (
        f"SELECT position::INTEGER AS position FROM examples WHERE dataset_id = ? AND ({where})",
        [dataset_id, *(value for _, values in conditions for value in values)],
    )
