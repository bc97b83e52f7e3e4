"""Which texts have a word: made when a data set is imported, so that a search need not read the texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

SPACE: Final = " "  # what parts words, and nothing else: a part of a text without it is a part of a word
# Of one version: a row per word of a text, a repeated one again: to leave them out takes eight times as long.
# Both texts of a pair are searched alike.
_WORDS_OF_TEXTS: Final = f"""
SELECT position, unnest(string_split(lower(concat_ws('{SPACE}', text, text_pair)), '{SPACE}')) AS word
FROM examples WHERE dataset_id = $id
"""


def index_words(cursor: duckdb.DuckDBPyConnection, dataset_id: str) -> None:
    """Keep the words of a data set version's texts and where they stand; a million texts take 4 seconds.

    Args:
        cursor: Within the transaction that has inserted the examples.
        dataset_id: A version that has no words yet.
    """
    cursor.execute(
        "INSERT INTO words SELECT $id, row_number() OVER (ORDER BY word), word, count(*) "
        f"FROM ({_WORDS_OF_TEXTS}) WHERE word <> '' GROUP BY word ORDER BY word",
        {"id": dataset_id},
    )
    # In the order of the words: the places of one word lie together, all others are passed over.
    cursor.execute(
        f"INSERT INTO word_places SELECT $id, word_id, position FROM ({_WORDS_OF_TEXTS}) AS found "
        "JOIN words ON words.dataset_id = $id AND words.word = found.word ORDER BY word_id, position",
        {"id": dataset_id},
    )


def n_places(cursor: duckdb.DuckDBPyConnection, dataset_id: str, part: str) -> int:
    """Return how often words that contain `part` stand in the texts.

    Args:
        cursor: Where.
        dataset_id: The version whose words are looked at.
        part: Without spaces, in any case.
    """
    sql = "SELECT coalesce(sum(n), 0) FROM words WHERE dataset_id = ? AND contains(word, lower(?))"
    return int(cursor.execute(sql, [dataset_id, part]).fetchall()[0][0])


def having_words(dataset_id: str, part: str) -> tuple[str, list[str]]:
    """Return a query for the positions of the texts with a word that contains `part`, and its values.

    Args:
        dataset_id: The version whose texts are searched.
        part: Without spaces, in any case; a text contains it if and only if a word of the text does.
    """
    return (
        "SELECT DISTINCT position FROM word_places WHERE dataset_id = ? AND word_id IN "
        "(SELECT word_id FROM words WHERE dataset_id = ? AND contains(word, lower(?)))",
        [dataset_id, dataset_id, part],
    )
