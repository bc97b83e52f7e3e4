"""Uploaded files in the workspace's cache."""

import os
import time

import pytest

from diet_core.data.uploads import forget_upload, keep_upload, proposed_name, safe_file_name
from diet_core.errors import DataError


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("reviews.csv", "reviews.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\My reviews.JSONL.gz", "My-reviews.jsonl.gz"),
        ("評価.parquet", "file.parquet"),
        ("a\x00b\n<c>.tsv", "a-b-c.tsv"),
        ("x" * 300 + ".csv", "x" * 64 + ".csv"),
        ("v1.2 final.csv.zst", "v1-2-final.csv.zst"),
    ],
)
def test_safe_file_name_holds_harmless_characters_only(name, safe):
    assert safe_file_name(name) == safe


@pytest.mark.parametrize("name", ["virus.exe", "reviews", "reviews.csv.bz2", ".csv", "..", ""])
def test_safe_file_name_refuses_unknown_endings(name):
    with pytest.raises(DataError, match="ending that is not known here"):
        safe_file_name(name)


def test_proposed_name_is_one_that_a_data_set_can_have():
    assert proposed_name("Movie Reviews (final).csv.gz") == "movie-reviews-final"
    assert proposed_name("owner/snli-1.0") == "snli-1-0"


def test_keep_upload_writes_inside_of_the_cache_once(tmp_path):
    cache = tmp_path / "cache"
    file = keep_upload(cache, "../../reviews.csv", b"text,label\n")
    assert file.is_relative_to(cache)
    assert file.read_bytes() == b"text,label\n"
    assert keep_upload(cache, "../../reviews.csv", b"text,label\n") == file
    assert keep_upload(cache, "reviews.csv", b"other\n") != file


def test_forget_upload_leaves_nothing(tmp_path):
    file = keep_upload(tmp_path, "reviews.csv", b"text\n")
    forget_upload(file)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_keep_upload_forgets_what_nobody_imported(tmp_path):
    old = keep_upload(tmp_path, "old.csv", b"old\n")
    then = time.time() - 2 * 24 * 3600
    os.utime(old.parent, (then, then))
    keep_upload(tmp_path, "new.csv", b"new\n")
    assert not old.exists()
