"""A search finds what lowered texts hold, and is remembered."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from diet_core.store.cache import MAX_SEARCHES
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import ingest_run
from diet_core.store.queries.examples import count_examples

NOTHING = pd.DataFrame()
LETTERS = [*"aAbB  İiıIſsSKk\u212aéÉßẞ%_.'", "\n", "\t", "\u00a0", "ab"]


def test_a_search_is_remembered_and_the_oldest_is_forgotten(store, scored):
    run_id = scored.run_id
    n = count_examples(store, run_id, ExampleFilter(search="says"))
    assert n == store.rows("SELECT count(*) FROM examples WHERE split = 'train' AND text LIKE '%says%'")[0][0]

    def tables() -> int:
        return store.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'search_%'")[0][0]

    assert tables() == 1
    assert count_examples(store, run_id, ExampleFilter(search="says")) == n
    assert tables() == 1
    for i in range(MAX_SEARCHES + 3):
        count_examples(store, run_id, ExampleFilter(search=f"review {i}"))
    assert tables() == MAX_SEARCHES
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


WORDS = [
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
]
WORDS += ["%_", "é", "École", "k", "ss", "ß", "it's", "\\d"]
TEXTS = [
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
TEXTS += ["", "STRASSE", "straße", "It's", "\\d", "K", "line\nSee"]


def strange_texts(seed: int, n: int) -> list[str]:
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(LETTERS, generator.integers(0, 12))) for _ in range(n)]


@pytest.fixture
def strange(reviews):
    """The reviews with texts of letters that are odd to lower, every third one with a second text."""
    texts, seconds = [*TEXTS, *strange_texts(1, 240 - len(TEXTS))], strange_texts(2, 240)
    pairs = [second if i % 3 == 0 else None for i, second in enumerate(seconds)]
    examples = reviews.examples.assign(text=texts, text_pair=pd.Series(pairs, dtype="str"))
    return dataclasses.replace(reviews, examples=examples)


def test_a_search_finds_what_lowered_texts_hold(store, reviews, strange):
    add_dataset(store, reviews)
    dataset_id = add_dataset(store, strange, overwrite=True).dataset_id
    n_found = 0
    parts = filter(None, {text[:k].strip(" ") for text in strange_texts(3, 60) for k in (1, 2, 3)})
    for words in (*WORDS, *parts):
        with store.cursor() as cursor:
            table = store.searches.find(cursor, dataset_id, words)
        found = [row[0] for row in store.rows(f"SELECT position FROM {table} ORDER BY position")]
        expected = store.rows(
            "SELECT position FROM examples WHERE dataset_id = ? AND (contains(lower(text), lower(?)) "
            "OR contains(lower(coalesce(text_pair, '')), lower(?))) ORDER BY position",
            [dataset_id, words, words],
        )
        assert found == [row[0] for row in expected], words
        n_found += len(found)
    assert n_found > 500
