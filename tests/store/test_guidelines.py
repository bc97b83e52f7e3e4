"""Guidelines: one text per data set name, the last edit holds, all edits stay."""

import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.store.decisions.guidelines import read_guidelines, save_guidelines
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.store import open_store


def test_a_data_set_without_guidelines_has_an_empty_text(store, reviews):
    add_dataset(store, reviews)
    assert read_guidelines(store, "reviews") == ""
    assert read_guidelines(store, "nothing") == ""


def test_the_last_edit_holds_and_the_others_stay(store, reviews):
    add_dataset(store, reviews)
    for text in ("# Sarcasm\nis *negative*.", "", "'; DROP TABLE guidelines; -- <script> 😀"):
        save_guidelines(store, "reviews", text, "ada")
        assert read_guidelines(store, "reviews") == text
    edits = store.rows(
        "SELECT dataset, text, editor, edited_at IS NOT NULL FROM guidelines ORDER BY guideline_id"
    )
    assert [row[1][:9] for row in edits] == ["# Sarcasm", "", "'; DROP T"]
    assert {(row[0], *row[2:]) for row in edits} == {("reviews", "ada", True)}


def test_all_versions_of_a_data_set_share_their_guidelines(store, reviews, workspace):
    add_dataset(store, reviews)
    save_guidelines(store, "reviews", "Read twice.", "ada")
    add_dataset(store, reviews, overwrite=True)
    store.close()
    with open_store(workspace) as again:
        assert read_guidelines(again, "reviews") == "Read twice."


def test_guidelines_need_a_data_set_and_an_editor(store, reviews):
    add_dataset(store, reviews)
    with pytest.raises(NotFoundError, match="no data set 'films'"):
        save_guidelines(store, "films", "text", "ada")
    with pytest.raises(SettingError, match="name is empty"):
        save_guidelines(store, "reviews", "text", "")
    assert store.rows("SELECT count(*) FROM guidelines") == [(0,)]
