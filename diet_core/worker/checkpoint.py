"""What a worker leaves behind within a training, so that a killed one goes on instead of starting anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diet_core.runs.folder import RunFolder, write_atomically


@dataclass
class Checkpoint:
    """The files of an unfinished training: its state, and how far the present inference has come.

    Attributes:
        folder: Of the run.
        training: The training's name.
        pause: Seconds between two writings.
    """

    folder: RunFolder
    training: str
    pause: float
    _written: float = field(default_factory=time.monotonic)

    @property
    def _state(self) -> Path:
        return self.folder.training_folder(self.training) / "checkpoint.pt"

    @property
    def _partial(self) -> Path:
        return self.folder.training_folder(self.training) / "reading.npz"

    def age(self) -> float:
        """Return the seconds since the last writing."""
        return time.monotonic() - self._written

    def is_due(self) -> bool:
        """Return whether the last writing is long enough ago."""
        return self.age() >= self.pause

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the training's state in one step; inference begun before it stays."""
        write_atomically(self._state, lambda path: torch.save(state, path))
        self._written = time.monotonic()

    def state(self) -> dict[str, Any] | None:
        """Return the training's last state, on the CPU; None if none was written."""
        if not self._state.exists():
            return None
        state: dict[str, Any] = torch.load(self._state, map_location="cpu", weights_only=True)
        return state

    def write_partial(self, key: str, done: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Replace the outputs so far: `done` chunks of the inference `key`."""

        def save(path: Path) -> None:
            with path.open("wb") as file:  # numpy would add an ending to a name
                np.savez(file, **{"key": np.array(key), "done": np.array(done)} | arrays)  # type: ignore[arg-type]

        write_atomically(self._partial, save)
        self._written = time.monotonic()

    def partial(self, key: str) -> tuple[int, dict[str, NDArray[Any]]]:
        """Return how many chunks of the inference `key` are done, and their outputs; of another, nothing."""
        if not self._partial.exists():
            return 0, {}
        with np.load(self._partial, allow_pickle=False) as content:
            if str(content["key"]) != key:
                return 0, {}
            arrays = {name: content[name] for name in content.files if name not in ("key", "done")}
            return int(content["done"]), arrays

    def remove(self) -> None:
        """Delete both files: the training is finished."""
        self._state.unlink(missing_ok=True)
        self._partial.unlink(missing_ok=True)


Arrays = dict[str, NDArray[Any]]


def infer_in_chunks(
    rows: NDArray[np.int64],
    lengths: NDArray[np.int64],
    tokens: int,
    infer: Callable[[NDArray[np.int64]], Arrays],
    checkpoint: Checkpoint,
    key: str,
) -> Arrays:
    """Return the outputs of each row, in the order of `rows`, going on where a killed worker left off.

    Args:
        rows: Row numbers, shape (n,).
        lengths: Tokens of each of them, shape (n,): chunks hold rows of similar length.
        tokens: At least so many per chunk, but for the last.
        infer: From the row numbers of a chunk to arrays of that many rows.
        checkpoint: Where the outputs are kept meanwhile.
        key: What is computed, the model's step included.
    """
    begun_at, arrays = checkpoint.partial(key)
    for number, chunk in enumerate(_chunks(lengths, tokens)):
        if number < begun_at:
            continue
        try:
            values = infer(rows[chunk])
        except BaseException:  # a stop: the outputs until now are kept
            if number > begun_at:
                checkpoint.write_partial(key, number, arrays)
            raise
        for name, of_chunk in values.items():
            if name not in arrays:
                arrays[name] = np.zeros((len(rows), *of_chunk.shape[1:]), of_chunk.dtype)
            arrays[name][chunk] = of_chunk
        if checkpoint.is_due():
            checkpoint.write_partial(key, number + 1, arrays)
    return arrays


def _chunks(lengths: NDArray[np.int64], tokens: int) -> list[NDArray[np.int64]]:
    """Return the positions, longest first, in parts of about `tokens` tokens."""
    order = np.argsort(-lengths, kind="stable")
    ends = np.flatnonzero(np.diff(np.cumsum(lengths[order]) // tokens)) + 1
    return np.split(order, ends)
