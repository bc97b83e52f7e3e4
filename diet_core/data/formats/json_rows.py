"""JSON arrays and JSON lines: one object a row."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pyarrow as pa

from diet_core.data.formats.source import JSON_COLUMN
from diet_core.errors import DataError

_KINDS: Final = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json_lines(text: str, name: str) -> tuple[pa.Table, list[int], list[dict[str, Any]]]:
    """Return the lines as a table, each row's line number, and the rows' objects.

    The table keeps each line as it is written, so that numbers, escapes and spacing survive export.

    Raises:
        DataError: If a line is no JSON object; the message names the line.
    """
    lines, texts, records = [], [], []
    # Not splitlines(): U+2028 and the like may stand inside of a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if row := line.strip():
            place = f"Line {number} of {name}"
            records.append(_object(_parsed(row, place), row, place))
            lines.append(number)
            texts.append(row)
    return _table(texts), lines, records


def parse_json_array(text: str, name: str) -> tuple[pa.Table, None, list[dict[str, Any]]]:
    """Return the array's objects as a table of JSON texts, None for their lines, and the objects.

    Raises:
        DataError: If the file is no array of objects; the message names the row.
    """
    if not text.strip():
        return _table([]), None, []
    rows = _parsed(text, name)
    if not isinstance(rows, list):
        raise DataError(
            f"{name} holds no JSON array. Write the examples as an array of objects: [{{…}}, {{…}}]."
        )
    records, texts = [], []
    for number, row in enumerate(rows, start=1):
        row_text = json.dumps(row, ensure_ascii=False)
        records.append(_object(row, row_text, f"Row {number} of {name}"))
        texts.append(row_text)
    return _table(texts), None, records


def _parsed(text: str, place: str) -> Any:
    """Parse JSON text; `place` starts the message of the error."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        advice = (
            "If each line is an object of its own, name the file .jsonl."
            if error.msg == "Extra data"
            else "Mend it, or fetch the file again if it was cut off."
        )
        raise DataError(f"{place} is not valid JSON ({error.msg}, {where}). {advice}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is JSON that cannot be read ({error}). Mend it.") from error


def _object(value: Any, text: str, place: str) -> dict[str, Any]:
    """Return a row that is a JSON object whose texts can be stored as UTF-8."""
    if not isinstance(value, dict):
        raise DataError(
            f"{place} is {_KINDS[type(value)]}, not a JSON object. Write each example as an object: {{…}}."
        )
    if _is_broken(value, text):
        raise DataError(
            f"{place} holds half of a surrogate pair (\\ud800 to \\udfff), which no text can have. "
            "Remove it or write the whole character."
        )
    return value


def _is_broken(value: dict[str, Any], text: str) -> bool:
    """Whether a text or key in `value` cannot be written as UTF-8."""
    try:
        text.encode()
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _table(texts: list[str]) -> pa.Table:
    """Return the rows' JSON texts as a table."""
    return pa.table({JSON_COLUMN: pa.array(texts, pa.large_string())})
