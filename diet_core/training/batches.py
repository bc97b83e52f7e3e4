"""Texts to token batches, padded to their own length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# Batches are sorted by length within chunks of this many: little padding, yet random company.
BATCHES_PER_CHUNK = 50
TOKENIZER_CHUNK = 10_000


@dataclass(frozen=True)
class Encoded:
    """Tokenised texts, each as long as it is.

    Attributes:
        columns: Per tokenizer output (input_ids, …), one array of token values per example.
        lengths: Tokens of each example, shape (n_examples,).
        padding: The value that fills up each column.
    """

    columns: dict[str, list[NDArray[np.int64]]]
    lengths: NDArray[np.int64]
    padding: dict[str, int]

    def take(self, rows: NDArray[np.int64]) -> Encoded:
        """Return the examples of `rows`, in that order."""
        columns = {name: [values[row] for row in rows] for name, values in self.columns.items()}
        return Encoded(columns, self.lengths[rows], self.padding)

    def batch(self, rows: NDArray[np.int64], device: torch.device) -> dict[str, torch.Tensor]:
        """Return the examples of `rows`, padded to the longest of them, on `device`."""
        width = int(self.lengths[rows].max())
        return {name: to_device(self._padded(name, rows, width), device) for name in self.columns}

    def _padded(self, name: str, rows: NDArray[np.int64], width: int) -> NDArray[np.int64]:
        out = np.full((len(rows), width), self.padding[name], dtype=np.int64)
        for i, row in enumerate(rows):
            values = self.columns[name][row]
            out[i, : len(values)] = values
        return out


def to_device(array: NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return the array as a tensor on `device`; to a GPU through pinned memory, without waiting."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def encode(
    tokenizer: Any, texts: Sequence[str], text_pairs: Sequence[str] | None, max_length: int
) -> Encoded:
    """Return all texts as tokens, cut to `max_length`.

    Args:
        tokenizer: The model's tokenizer.
        texts: One per example.
        text_pairs: The second text of each example, or None.
        max_length: Tokens, special ones included.
    """
    columns: dict[str, list[NDArray[np.int64]]] = {}
    for start in range(0, len(texts), TOKENIZER_CHUNK):
        part = slice(start, start + TOKENIZER_CHUNK)
        pairs = list(text_pairs[part]) if text_pairs is not None else None
        tokens = tokenizer(list(texts[part]), pairs, truncation=True, max_length=max_length)
        for name, values in tokens.items():
            columns.setdefault(name, []).extend(np.asarray(v, dtype=np.int64) for v in values)
    lengths = np.array([len(ids) for ids in columns.get("input_ids", [])], dtype=np.int64)
    padding = {name: 0 for name in columns} | {"input_ids": int(tokenizer.pad_token_id)}
    if "token_type_ids" in columns:
        padding["token_type_ids"] = int(getattr(tokenizer, "pad_token_type_id", 0))
    return Encoded(columns, lengths, padding)


def training_batches(
    lengths: NDArray[np.int64], batch_size: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return the rows of each batch of one epoch: shuffled, grouped by length, shuffled again.

    Every row comes once; the last batch may be smaller.

    Args:
        lengths: Tokens of each example, shape (n_examples,).
        batch_size: Examples per batch.
        rng: Decides the order.
    """
    order = rng.permutation(len(lengths))
    chunk = batch_size * BATCHES_PER_CHUNK
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), chunk):
        rows = order[start : start + chunk]
        rows = rows[np.argsort(-lengths[rows], kind="stable")]
        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def scoring_batches(lengths: NDArray[np.int64], tokens: int) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each batch, longest first, of at most `tokens` tokens (at least one example).

    Args:
        lengths: Tokens of each example, shape (n_examples,).
        tokens: Per batch, padding included.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size
