"""The bundled sample is always the same file, and says what to do where it cannot be fetched."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections import Counter
from pathlib import Path

import pytest

from diet_core.config import default_workspace
from diet_core.data import sample
from diet_core.errors import DataError


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A cache folder with the sdist: the workspace's if it is there, else fetched with pip."""
    folder = tmp_path_factory.mktemp("cache")
    fetched = default_workspace().cache / sample.SDIST_NAME
    if fetched.is_file():
        shutil.copy(fetched, folder)
    sample.build_sample(folder)
    return folder


def _rows(cache: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((cache / "tweets.csv").read_text(encoding="utf-8"), newline="")))


def test_the_built_file_has_its_pinned_bytes(cache: Path):
    digest = hashlib.sha256((cache / "tweets.csv").read_bytes()).hexdigest()
    assert digest == "e88a6055f4a3af694d3fbd2efb4a57d11b40c4ad6b5f352fdabdd8fe25721401"
    assert sorted(path.name for path in cache.iterdir()) == ["tweets.csv", sample.SDIST_NAME]


def test_the_sample_has_4200_tweets_and_a_tenth_is_the_test_split(cache: Path):
    dataset = sample.build_sample(cache)
    assert dataset.info.name == "tweets"
    assert dataset.info.classes == ("negative", "neutral", "positive")
    assert dataset.examples["split"].value_counts().to_dict() == {"train": 3780, "test": 420}
    assert dataset.source.column_names == ["id", "text", "label", "crowd_label", "split"]


def test_test_tweets_have_the_crowds_label_and_training_tweets_one_persons(cache: Path):
    differ = Counter((row["split"], row["label"] != row["crowd_label"]) for row in _rows(cache))
    assert differ["test", True] == 0
    assert 0.1 < differ["train", True] / 3780 < 0.25


@pytest.mark.parametrize(
    ("ratings", "label"),
    [
        ([1, 1, 0], "positive"),
        ([-1, 1], "neutral"),
        ([-4, -1, 0, 3], "negative"),
        ([0, 0, 2, 2, -1], "neutral"),
    ],
)
def test_the_crowds_label_is_the_majority_and_a_tie_is_neutral(ratings: list[int], label: str):
    assert sample._crowd_label(ratings) == label


def test_another_file_under_the_sdists_name_is_refused(tmp_path: Path):
    (tmp_path / sample.SDIST_NAME).write_bytes(b"something else")
    with pytest.raises(DataError, match="is not the vaderSentiment"):
        sample.build_sample(tmp_path)


def test_without_an_index_the_message_names_file_and_folder(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        sample.build_sample(tmp_path / "cache")
    assert sample.SDIST_NAME in str(caught.value)
    assert str(tmp_path / "cache") in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []
