"""Guidelines: one text per data set name, the last edit holds, all edits stay."""

import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.store import open_store


def test_a_data_set_without_guidelines_has_an_empty_text(store, reviews):
    store.add_dataset(reviews)
    assert store.guidelines("reviews") == ""
    assert store.guidelines("nothing") == ""


def test_the_last_edit_holds_and_the_others_stay(store, reviews):
    store.add_dataset(reviews)
    for text in ("# Sarcasm\nis *negative*.", "", "'; DROP TABLE guidelines; -- <script> 😀"):
        store.set_guidelines("reviews", text, "ada")
        assert store.guidelines("reviews") == text
    edits = store.rows(
        "SELECT dataset, text, editor, edited_at IS NOT NULL FROM guidelines ORDER BY guideline_id"
    )
    assert [row[1][:9] for row in edits] == ["# Sarcasm", "", "'; DROP T"]
    assert {(row[0], *row[2:]) for row in edits} == {("reviews", "ada", True)}


def test_all_versions_of_a_data_set_share_their_guidelines(store, reviews, workspace):
    store.add_dataset(reviews)
    store.set_guidelines("reviews", "Read twice.", "ada")
    store.add_dataset(reviews, overwrite=True)
    store.close()
    with open_store(workspace) as again:
        assert again.guidelines("reviews") == "Read twice."


def test_guidelines_need_a_data_set_and_an_editor(store, reviews):
    store.add_dataset(reviews)
    with pytest.raises(NotFoundError, match="no data set 'films'"):
        store.set_guidelines("films", "text", "ada")
    with pytest.raises(SettingError, match="name is empty"):
        store.set_guidelines("reviews", "text", "")
    assert store.rows("SELECT count(*) FROM guidelines") == [(0,)]
