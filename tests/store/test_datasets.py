import dataclasses

import pandas as pd
import pyarrow as pa
import pytest

from diet_core.errors import DataError, NotFoundError, SettingError
from diet_core.store.loading.datasets import (
    add_dataset,
    adopt_dataset,
    find_dataset,
    list_datasets,
    read_examples,
    read_source,
)


def test_add_dataset_keeps_examples_in_order(store, reviews):
    info = add_dataset(store, reviews)
    assert info.dataset_id == "reviews-v1"
    pd.testing.assert_frame_equal(read_examples(store, "reviews-v1"), reviews.examples)


def test_add_dataset_keeps_pairs_and_odd_texts(store, reviews):
    texts = ["", "two\nlines", "null", "NaN", "\t ünï🦆 'quoted' \"twice\"", "\x00"]
    examples = reviews.examples.head(len(texts)).assign(text=texts, text_pair=texts[::-1])
    add_dataset(store, dataclasses.replace(reviews, examples=examples))
    pd.testing.assert_frame_equal(read_examples(store, "reviews-v1"), examples)


def test_source_table_gives_back_rows_types_and_metadata(store, reviews):
    info = add_dataset(store, reviews)
    found = read_source(store, info.dataset_id)
    assert found.equals(reviews.source, check_metadata=True)


def test_dataset_is_the_same_after_the_store(store, reviews):
    stored = dataclasses.replace(
        reviews.info, version=1, test_source="test.csv", label_values={"negative": -1, "positive": True}
    )
    add_dataset(store, dataclasses.replace(reviews, info=stored))
    assert find_dataset(store, "reviews") == stored


def test_datasets_counts_rows_by_split(store, reviews):
    add_dataset(store, reviews)
    (summary,) = list_datasets(store)
    assert (summary.n_train, summary.n_test) == (216, 24)
    assert summary.imported_at.tzinfo is not None


def test_an_existing_name_is_refused_without_overwrite(store, reviews):
    add_dataset(store, reviews)
    with pytest.raises(DataError, match=r"Use --overwrite to make a new version"):
        add_dataset(store, reviews)
    assert len(list_datasets(store)) == 1


def test_overwrite_makes_a_version_and_keeps_the_old_one(store, reviews):
    add_dataset(store, reviews)
    shorter = dataclasses.replace(reviews, examples=reviews.examples.head(10), source=reviews.source[:10])
    assert add_dataset(store, shorter, overwrite=True).version == 2
    assert find_dataset(store, "reviews").version == 2
    assert find_dataset(store, "reviews", 1).version == 1
    assert len(read_examples(store, "reviews-v1")) == 240
    assert read_source(store, "reviews-v1").num_rows == 240


def test_an_unknown_data_set_lists_what_there_is(store, reviews):
    add_dataset(store, reviews)
    with pytest.raises(NotFoundError, match=r"'tweets'.*it has: reviews \(v1\)"):
        find_dataset(store, "tweets")
    with pytest.raises(NotFoundError, match="'reviews version 7'"):
        find_dataset(store, "reviews", 7)
    with pytest.raises(NotFoundError, match="'reviews-v7'"):
        read_examples(store, "reviews-v7")


def test_a_bad_name_is_refused(store, reviews):
    info = dataclasses.replace(reviews.info, name="../reviews")
    with pytest.raises(SettingError, match="cannot name a data set"):
        add_dataset(store, dataclasses.replace(reviews, info=info))


def test_a_repeated_id_leaves_nothing_behind(store, workspace, reviews):
    examples = reviews.examples.assign(example_id="same")
    with pytest.raises(DataError, match=r"'same' occurs twice"):
        add_dataset(store, dataclasses.replace(reviews, examples=examples))
    assert list_datasets(store) == []
    assert list(workspace.sources.iterdir()) == []
    assert store.rows("SELECT count(*) FROM examples") == [(0,)]
    assert add_dataset(store, reviews).version == 1


def test_a_source_that_cannot_be_written_leaves_nothing_behind(store, workspace, reviews):
    workspace.sources.mkdir()
    (workspace.sources / "reviews-v1.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        add_dataset(store, reviews)
    assert list_datasets(store) == []


def test_a_missing_source_file_says_what_to_do(store, workspace, reviews):
    add_dataset(store, reviews)
    (workspace.sources / "reviews-v1.parquet").write_bytes(b"damaged")
    with pytest.raises(DataError, match="Import the source again"):
        read_source(store, "reviews-v1")


def test_adopt_dataset_returns_the_known_version(store, reviews):
    info = add_dataset(store, reviews)
    assert adopt_dataset(store, info, reviews.examples.head(3)) == info


def test_adopt_dataset_knows_a_notebooks_data_by_its_content(store, reviews):
    info = add_dataset(store, reviews)
    assert adopt_dataset(store, reviews.info, reviews.examples.sample(frac=1, random_state=1)) == info


def test_adopt_dataset_keeps_another_file_of_the_same_name(store, reviews):
    add_dataset(store, reviews)
    other = dataclasses.replace(reviews.info, sha256="1" * 64)
    adopted = adopt_dataset(store, other, reviews.examples)
    assert adopted.version == 2
    assert adopt_dataset(store, other, reviews.examples) == adopted
    with pytest.raises(DataError):
        read_source(store, adopted.dataset_id)


def test_adopt_dataset_gives_a_lost_version_its_number_back(store, reviews):
    second = dataclasses.replace(reviews.info, version=2)
    assert adopt_dataset(store, second, reviews.examples) == second
    assert add_dataset(store, reviews, overwrite=True).version == 3
    other = dataclasses.replace(second, sha256="1" * 64)
    assert adopt_dataset(store, other, reviews.examples).version == 4


def test_a_name_means_the_last_imported_version(store, reviews):
    add_dataset(store, reviews)
    adopt_dataset(store, dataclasses.replace(reviews.info, sha256="1" * 64), reviews.examples)
    assert find_dataset(store, "reviews").version == 1


def test_a_json_source_keeps_its_rows_as_text(store, reviews):
    source = pa.table({"row": ['{"text": "a", "n": 1.0}'] * 240})
    info = add_dataset(store, dataclasses.replace(reviews, source=source))
    assert read_source(store, info.dataset_id).equals(source)
