"""A search finds what lowered texts hold, by their words or by reading them, and is remembered."""

import dataclasses

import duckdb
import numpy as np
import pandas as pd
import pytest

from diet_core.store import search
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import ingest_run
from diet_core.store.migrate import known_migrations, migrate
from diet_core.store.queries.examples import count_examples
from diet_core.store.search import REMEMBERED, containing
from diet_core.store.store import open_store

NOTHING = pd.DataFrame()
LETTERS = [*"aAbB  İiıIſsSKk\u212aéÉßẞ%_.'", "\n", "\t", "\u00a0", "ab"]
TABLES = {"words": "dataset_id, word_id", "word_places": "dataset_id, word_id, position"}


def test_a_search_is_remembered_and_the_oldest_is_forgotten(store, scored, monkeypatch):
    run_id = scored.run_id
    n = count_examples(store, run_id, ExampleFilter(search="says"))
    assert n == store.rows("SELECT count(*) FROM examples WHERE split = 'train' AND text LIKE '%says%'")[0][0]

    def tables() -> int:
        return store.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'search_%'")[0][0]

    assert tables() == 1
    assert count_examples(store, run_id, ExampleFilter(search="says")) == n
    assert tables() == 1
    for i in range(REMEMBERED + 3):
        count_examples(store, run_id, ExampleFilter(search=f"review {i}"))
    assert tables() == REMEMBERED
    assert count_examples(store, run_id, ExampleFilter(search="says")) == n


def test_a_new_version_is_searched_anew(store, scored, reviews, synthetic_scores):
    chosen = ExampleFilter(search="says")
    before = count_examples(store, scored.run_id, chosen)
    other = dataclasses.replace(
        reviews, examples=reviews.examples.assign(text=reviews.examples["text"].str.replace("says", "said"))
    )
    info = add_dataset(store, other, overwrite=True)
    again = dataclasses.replace(scored, run_id="reviews-20261121-150000-2b3c", dataset=info)
    ingest_run(store, again, synthetic_scores, NOTHING, NOTHING)
    assert before > 0
    assert count_examples(store, again.run_id, chosen) == 0
    assert count_examples(store, scored.run_id, chosen) == before


@pytest.mark.parametrize(
    "words",
    [
        "Kelvin",
        "kel",
        "n 5 k",
        "abc a",
        "e you",
        "ou",
        "kelvin",
        "İstanbul",
        "istanbul",
        "ſee",
        "SEE",
        "a.c",
        "%_",
        "é",
        "École",
        "k",
        "ss",
        "ß",
        "it's",
        "\\d",
    ],
)
def test_a_search_finds_what_lowered_texts_hold(store, words):
    texts = [
        "\u212aelvin 5 K",
        "İSTANBUL",
        "ıstanbul",
        "ſee you",
        "see YOU",
        "abc a.c",
        "50 %_",
        "École",
        "éCOLE",
    ]
    texts += ["", "STRASSE", "straße", "It's", "\\d", "K", "line\nSee"]
    sql, values = containing("text", words)
    found, lowered = (
        store.rows(f"SELECT text FROM (SELECT unnest(?::VARCHAR[]) AS text) WHERE {where}", [texts, *bound])
        for where, bound in ((sql, values), ("contains(lower(text), lower(?))", [words]))
    )
    assert found == lowered


def strange_texts(seed: int, n: int) -> list[str]:
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(LETTERS, generator.integers(0, 12))) for _ in range(n)]


@pytest.fixture
def strange(reviews):
    """The reviews with texts of letters that are odd to lower, every third one with a second text."""
    texts, seconds = strange_texts(1, 240), strange_texts(2, 240)
    pairs = [second if i % 3 == 0 else None for i, second in enumerate(seconds)]
    examples = reviews.examples.assign(text=texts, text_pair=pd.Series(pairs, dtype="str"))
    return dataclasses.replace(reviews, examples=examples)


@pytest.mark.parametrize("many", [0, search.MANY, 1_000_000])
def test_words_and_texts_give_the_same_positions(store, reviews, strange, monkeypatch, many):
    monkeypatch.setattr(search, "MANY", many)
    add_dataset(store, reviews)
    dataset_id = add_dataset(store, strange, overwrite=True).dataset_id
    n_found = 0
    for words in filter(None, {text[:k].strip(" ") for text in strange_texts(3, 60) for k in (1, 2, 3)}):
        table = store.searches.table(store, dataset_id, words)
        found = [row[0] for row in store.rows(f"SELECT position FROM {table} ORDER BY position")]
        expected = store.rows(
            "SELECT position FROM examples WHERE dataset_id = ? AND (contains(lower(text), lower(?)) "
            "OR contains(lower(coalesce(text_pair, '')), lower(?))) ORDER BY position",
            [dataset_id, words, words],
        )
        assert found == [row[0] for row in expected], words
        n_found += len(found)
    assert n_found > 500


def test_places_lie_in_the_order_of_the_words(store, strange):
    add_dataset(store, strange)
    words = store.frame("SELECT * FROM words ORDER BY word_id")
    places = store.frame("SELECT * FROM word_places")
    assert words["word"].is_unique
    assert (words["word"] != "").all()
    assert places["word_id"].is_monotonic_increasing
    assert places.groupby("word_id")["position"].apply(lambda p: p.is_monotonic_increasing).all()
    assert places["word_id"].value_counts().sort_index().tolist() == words["n"].tolist()


def test_an_older_database_gets_the_words_that_an_import_makes(workspace, store, reviews, strange):
    add_dataset(store, reviews)
    add_dataset(store, strange, overwrite=True)
    examples = store.frame("SELECT * FROM examples")
    made = {name: store.frame(f"SELECT * FROM {name} ORDER BY {order}") for name, order in TABLES.items()}
    store.close()
    workspace.database.unlink()
    with duckdb.connect(workspace.database) as connection:
        migrate(connection, known_migrations()[:8])
        connection.register("incoming", examples)
        connection.execute("INSERT INTO examples BY NAME SELECT * FROM incoming")
        connection.unregister("incoming")
    with open_store(workspace) as opened:
        for name, order in TABLES.items():
            table = opened.frame(f"SELECT * FROM {name} ORDER BY {order}")
            pd.testing.assert_frame_equal(table, made[name])
            assert len(table) > 100
