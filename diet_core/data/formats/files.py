"""Files as bytes: formats by ending, limited decompression, hashes and atomic writing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from diet_core.errors import DataError

FORMATS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd"}
KNOWN_ENDINGS: Final = f"{', '.join(FORMATS)}, each also with .gz or .zst"

# `.csv` and `.xlsx` are file endings, the `.0` of a hub name like snli-1.0 is none.
FILE_ENDING: Final = re.compile(r"\.[A-Za-z]\w*$")

# A gigabyte of gzip can hold a terabyte: what a compressed source may become in memory.
MAX_UNPACKED: Final = 2 * 2**30
_CHUNK: Final = 2**20


def format_of(path: Path) -> tuple[str | None, str | None]:
    """Return format and compression by a path's ending, None where there is none that we know.

    Example:
        >>> format_of(Path("reviews.CSV.gz")), format_of(Path("reviews"))
        (('csv', 'gzip'), (None, None))
    """
    endings = [ending.lower() for ending in path.suffixes]
    compression = COMPRESSIONS.get(endings[-1]) if endings else None
    if compression:
        endings.pop()
    return (FORMATS.get(endings[-1]) if endings else None), compression


def file_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Check its rights.") from error


def unpacked(data: bytes, compression: str | None, name: str, limit: int = MAX_UNPACKED) -> bytes:
    """Return decompressed bytes, or the same bytes without a compression.

    Args:
        data: The file's bytes.
        compression: gzip, zstd or None.
        name: The file's name, for messages.
        limit: How many bytes it may become.

    Raises:
        DataError: If the bytes are damaged, end too early or become more than `limit`.
    """
    if compression is None:
        return data
    out = io.BytesIO()
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), compression) as stream:
            while chunk := stream.read(_CHUNK):
                out.write(chunk)
                if out.tell() > limit:
                    raise DataError(
                        f"{name} unpacks to more than {limit / 2**20:,.0f} MiB, the limit here. "
                        "Unpack it yourself and import the result, or split it."
                    )
    except (OSError, pa.ArrowException, EOFError) as error:
        raise DataError(
            f"{name} is not a whole {compression} file ({first_line(error)}). Fetch or compress it again."
        ) from error
    return out.getvalue()


def decoded(data: bytes, name: str) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raises:
        DataError: If the bytes are no UTF-8 text or hold NUL bytes.
    """
    if 0 in data:
        raise DataError(
            f"{name} is not a text file (it has a NUL byte in line {_line_of(data, data.index(0))}). "
            "Give a text file saved as UTF-8."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8 text (byte 0x{data[error.start]:02x} in line "
            f"{_line_of(data, error.start)}). Save it as UTF-8 and import it again."
        ) from error


def _line_of(data: bytes, position: int) -> int:
    """Return the 1-based line of a byte."""
    return data.count(b"\n", 0, position) + 1


def first_line(error: BaseException) -> str:
    """Return an error's first line, cut to 160 characters, without a final full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:160].rstrip(". ")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; for a folder, of all its files' bytes by order of name."""
    digest = hashlib.sha256()
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends well.

    Raises:
        DataError: If the folder cannot be written to; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror or error}). Choose a folder that exists and is yours."
        ) from error
    finally:
        if temporary.is_file():
            temporary.unlink()


def write_text(path: Path, parts: Iterable[str], compression: str | None) -> None:
    """Write text in parts as UTF-8, compressed if asked for; the same parts give the same bytes."""
    with output_stream(path, compression) as stream:
        for part in parts:
            stream.write(part.encode())


def output_stream(path: Path, compression: str | None) -> Any:
    """Return a pyarrow stream that writes to a path, compressed if asked for."""
    return pa.output_stream(str(path), compression=compression, buffer_size=_CHUNK)


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest as JSON by temporary name and rename.

    Args:
        path: The file; an existing one is replaced.
        manifest: What JSON can hold; the order of keys is kept.

    Raises:
        DataError: If the file cannot be written.
    """
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
