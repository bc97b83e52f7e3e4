"""Files that came through the browser: kept under a name of ours until they are imported."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from pathlib import Path
from typing import Final

from diet_core.data.formats.files import KNOWN_ENDINGS, format_of, replacing
from diet_core.errors import DataError

# What a person never imported is deleted when the next file comes, after this long.
_KEPT_SECONDS: Final = 24 * 3600
_STEM: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_STEM: Final = 64


def safe_file_name(name: str) -> str:
    """Return a file name that is safe in any folder: the stem's letters, digits, `_` and `-`, a known ending.

    Raises:
        DataError: If the ending is not known here.

    Example:
        >>> safe_file_name("../../My reviews (2).CSV.gz")
        'My-reviews-2.csv.gz'
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    format, compression = format_of(Path(last))
    if format is None:
        raise DataError(f"{last[:80]!r} has an ending that is not known here. Give one of: {KNOWN_ENDINGS}.")
    ending = "".join(Path(last.lower()).suffixes[-2 if compression else -1 :])
    stem = _STEM.sub("-", last[: -len(ending)]).strip("-")
    return f"{stem[:_LONGEST_STEM] or 'file'}{ending}"


def proposed_name(source: str) -> str:
    """Return a name for a data set after its file or hub name.

    Example:
        >>> [proposed_name(name) for name in ("My reviews (2).CSV.gz", "nyu-mll/glue:mnli", "評.csv")]
        ['my-reviews-2', 'glue-mnli', 'data']
    """
    last = source.replace("\\", "/").rsplit("/", 1)[-1].lower()
    stem = last.split(".")[0] if format_of(Path(last))[0] else last
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-")[:64] or "data"


def keep_upload(cache: Path, name: str, content: bytes) -> Path:
    """Write an uploaded file into the cache and return where; the same bytes go to the same place.

    Args:
        cache: The workspace's cache.
        name: As the browser gave it; only what is safe of it is used.
        content: The file's bytes.

    Raises:
        DataError: If the name's ending is not known, or the cache cannot be written to.
    """
    safe = safe_file_name(name)
    uploads = cache / "uploads"
    _forget_old(uploads)
    file = uploads / hashlib.sha256(content).hexdigest()[:16] / safe
    assert file.resolve().is_relative_to(cache.resolve()), file
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with replacing(file) as temporary:
            temporary.write_bytes(content)
    return file


def forget_upload(file: Path) -> None:
    """Delete what `keep_upload` wrote."""
    shutil.rmtree(file.parent, ignore_errors=True)


def _forget_old(uploads: Path) -> None:
    if uploads.is_dir():
        for folder in uploads.iterdir():
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
