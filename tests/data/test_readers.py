"""Every format is read as it is, and what cannot be read says so in two sentences."""

from __future__ import annotations

import gzip
import io
import json
import struct
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from diet_core.data.formats.files import unpacked
from diet_core.data.formats.readers import read_source
from diet_core.errors import DataError

CSV = 'text,label\n"a, ""b""\nc",007\nNA,null\n'


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("content", [CSV, "\ufeff" + CSV, CSV.replace("\n", "\r\n")])
def test_csv_cells_stay_text_as_in_the_file(tmp_path: Path, content: str):
    table = read_source(_write(tmp_path, "a.csv", content)).table
    assert table.column("label").to_pylist() == ["007", "null"]
    assert table.column("text").to_pylist()[1] == "NA"
    assert table.column("text").to_pylist()[0].splitlines() == ['a, "b"', "c"]


def test_csv_skips_blank_lines_and_still_names_the_right_line(tmp_path: Path):
    source = read_source(_write(tmp_path, "a.csv", 'text,label\n\n"x\ny",1\n\nz,2\n'))
    assert list(source.lines or []) == [3, 6]


def test_csv_takes_cells_longer_than_the_csv_modules_default(tmp_path: Path):
    source = read_source(_write(tmp_path, "a.csv", f"text,label\n{'x' * 200_000},1\n"))
    assert len(source.table.column("text")[0].as_py()) == 200_000


def test_csv_batches_join_in_order(tmp_path: Path):
    rows = "".join(f"t{i},{i % 2}\n" for i in range(25_000))
    texts = read_source(_write(tmp_path, "a.csv", "text,label\n" + rows)).table.column("text").to_pylist()
    assert texts == [f"t{i}" for i in range(25_000)]


def test_tsv_with_quoted_cells_is_unquoted(tmp_path: Path):
    table = read_source(_write(tmp_path, "a.tsv", 'text\tlabel\n"a\tb"\t1\n')).table
    assert table.column("text").to_pylist() == ["a\tb"]


def test_tsv_with_bare_quotation_marks_keeps_them(tmp_path: Path):
    table = read_source(_write(tmp_path, "a.tsv", 'text\tlabel\n"Hi" he said\t1\n"open\t2\n')).table
    assert table.column("text").to_pylist() == ['"Hi" he said', '"open']


def test_json_lines_keep_their_very_text(tmp_path: Path):
    lines = ['{"text": "caf\\u00e9\u2028", "n": 1.50}', '{"text":"b","label":null}']
    source = read_source(_write(tmp_path, "a.jsonl", "\n".join([lines[0], "", lines[1]])))
    assert source.table.column("row").to_pylist() == lines
    assert source.columns == ["text", "n", "label"]
    assert source.place(1) == "line 3"


def test_json_array_rows_are_the_objects_in_key_order(tmp_path: Path):
    rows = [{"b": 1, "a": "é"}, {"a": "x"}]
    source = read_source(_write(tmp_path, "a.json", json.dumps(rows)))
    assert [json.loads(text) for text in source.table.column("row").to_pylist()] == rows
    assert source.table.column("row")[0].as_py() == '{"b": 1, "a": "é"}'


def test_parquet_keeps_types(tmp_path: Path):
    table = pa.table({"text": ["a", "b"], "label": pa.array([1, 2], pa.int8()), "x": [[1], None]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_source(tmp_path / "a.parquet").table.equals(table)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_compressed_files_read_as_the_plain_ones(tmp_path: Path, name: str, ending: str):
    content = {
        "a.csv": CSV.encode(),
        "a.tsv": b"text\tlabel\nx\ty\n",
        "a.jsonl": b'{"text": "a"}\n',
        "a.parquet": _parquet(pa.table({"text": ["a"]})),
    }[name]
    pack = gzip.compress if ending == ".gz" else zstandard.ZstdCompressor().compress
    plain = read_source(_write(tmp_path, name, content))
    packed = read_source(_write(tmp_path, name + ending, pack(content)))
    assert packed.table.equals(plain.table)
    assert packed.sha256 != plain.sha256


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_unpacking_stops_at_the_limit(pack):
    compression = "gzip" if pack is gzip.compress else "zstd"
    with pytest.raises(DataError, match=r"a.csv unpacks to more than 1 MiB.* split it"):
        unpacked(pack(b"x" * 30_000_000), compression, "a.csv", limit=2**20)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
def test_a_cut_off_compressed_file_is_an_error(tmp_path: Path, name: str):
    pack = gzip.compress if name.endswith("gz") else zstandard.ZstdCompressor().compress
    with pytest.raises(DataError, match="is not a whole"):
        read_source(_write(tmp_path, name, pack(CSV.encode() * 1000)[:-9]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\n\n", "a.csv is empty"),
        ("a.csv", "text,label\n", "a.csv has no rows"),
        ("a.csv", "text,label\na,b\nc\n", "Line 3 of a.csv has 1 of the 2 cells that the header has"),
        ("a.csv", "text,label\na,b,c\n", "Line 2 of a.csv has 3 cells, the header has 2"),
        ("a.csv", 'text,label\na,b\n"never ends,c\nd,e\n', "starts in line 3 of a.csv is not well-formed"),
        ("a.csv", 'text,label\n"a"b,c\n', "starts in line 2"),
        ("a.csv", "text,text\na,b\n", "column 'text' twice"),
        ("a.csv", "text,__split__\na,b\n", "__split__"),
        ("a.csv", b"text,label\ncaf\xe9,b\n", "not UTF-8 text .byte 0xe9 in line 2"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file .it has a NUL byte in line 3"),
        ("a.csv", "text,label\na,b\n".encode("utf-16"), "not a text file"),
        ("a.jsonl", '{"text": "a"}\n{"text": "b', "Line 2 of a.jsonl is not valid JSON"),
        ("a.jsonl", '{"text": "a"}\n[1]\n', "Line 2 of a.jsonl is an array"),
        ("a.jsonl", '{"text": "a"}\n3\n', "Line 2 of a.jsonl is a number"),
        ("a.jsonl", '{"text": "a"}\n{"text": "\\ud800"}\n', "Line 2 of a.jsonl holds half of a surrogate"),
        ("a.jsonl", "[" * 100_000, "Line 1 of a.jsonl is JSON that cannot be read"),
        ("a.jsonl", '{"n": ' + "9" * 5000 + "}", "Line 1 of a.jsonl is JSON that cannot be read"),
        ("a.jsonl", "\n\n", "a.jsonl has no rows"),
        ("a.json", '{"text": "a"}\n{"text": "b"}\n', "name the file .jsonl"),
        ("a.json", '{"rows": []}', "holds no JSON array"),
        ("a.json", "[]", "a.json has no rows"),
        ("a.json", '[{"text": "a"}, null]', "Row 2 of a.json is null"),
        ("a.json", '[{"t": "a"}, {"\\udfff": 1}]', "Row 2 of a.json holds half"),
        ("a.json", '[{"text": "a"}, {"te', "a.json is not valid JSON"),
        ("a.parquet", b"PAR1 this is not parquet PAR1", "a.parquet is not a sound Parquet file"),
        ("a.parquet", b"", "a.parquet is empty"),
        ("a.parquet.gz", gzip.compress(b"x", mtime=0), "a.parquet.gz is not a sound Parquet file"),
        ("a.xlsx", b"PK", "a.xlsx has an ending that is not known"),
        ("plain", "a,b\n1,2\n", "plain has an ending that is not known"),
        ("a.gz", gzip.compress(b"a", mtime=0), "a.gz has an ending that is not known"),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_what_to_do(tmp_path: Path, name: str, content, message: str):
    path = _write(tmp_path, name, content)
    with pytest.raises(DataError, match=message) as caught:
        read_source(path)
    assert str(caught.value).rstrip().endswith((".", '"'))
    assert list(tmp_path.iterdir()) == [path]


def _with_footer_length(data: bytes, length: int) -> bytes:
    return data[:-8] + struct.pack("<I", length) + data[-4:]


def test_a_lying_parquet_footer_is_an_error(tmp_path: Path):
    table = pa.table({"text": [f"text {i}" for i in range(100)], "label": ["a", "b"] * 50})
    data = _parquet(table)
    start = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    at = data.index(b"\xc8\x01", start)  # the number of rows, 100, as a zigzag varint
    lies = [data[:at] + number + data[at + 2 :] for number in (b"\xc8\x7f", b"\xc6\x01", b"\xc8\x00")]
    last = data.rindex(b"\xc8\x01")
    lies += [data[:last] + b"\xc6\x01" + data[last + 2 :]]
    lies += [_with_footer_length(data, length) for length in (0, 7, 2**31, 2**32 - 1)]
    lies += [data[: len(data) // 2] + data[start:], b"PAR1" + bytes(start - 4) + data[start:]]
    for number, lie in enumerate(lies):
        with pytest.raises(DataError, match=r"Write it again from its origin\."):
            read_source(_write(tmp_path, f"{number}.parquet", lie))


def test_parquet_with_broken_utf8_is_an_error(tmp_path: Path):
    data = _parquet(pa.table({"text": ["uniquetext"] * 3})).replace(b"uniquetext", b"unique\xff\xfext")
    with pytest.raises(DataError, match="not a sound Parquet file"):
        read_source(_write(tmp_path, "a.parquet", data))


@pytest.mark.parametrize("damage", range(0, 400, 7))
def test_no_flipped_byte_lets_a_pyarrow_error_out(tmp_path: Path, damage: int):
    data = bytearray(_parquet(pa.table({"text": ["a", "b"], "label": [1, 2]})))
    data[-9 - damage] ^= 0x5A
    # Either the byte does not matter, or our own error says that the file is damaged.
    with suppress(DataError):
        read_source(_write(tmp_path, "a.parquet", bytes(data)))


@pytest.mark.parametrize("source", ["nowhere.csv", "./nowhere", "/no/such/folder", "~nobody/x", "a b", ""])
def test_a_path_that_does_not_exist_is_named(tmp_path: Path, monkeypatch, source: str):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError):
        read_source(source)
