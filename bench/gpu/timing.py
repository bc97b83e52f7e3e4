"""Ways of doing the same in alternating rounds on a GPU, which still works when a call returns."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

import torch

from bench.gpu.product import Rounds, race

# Prepares a round, given its number, and returns the part that is timed.
Way = Callable[[int], Callable[[], object]]
MIB = 2**20


def timed(
    ways: Mapping[str, Way], ratios: Mapping[str, tuple[str, str]], n: int, rounds: int, device: torch.device
) -> dict[str, Any]:
    """Return the figures of competing ways, after one round that does not count.

    Args:
        ways: By name.
        ratios: By what they say: the way whose seconds are divided, and the one they are divided by.
        n: Texts that each way takes.
        rounds: How many count, at least 1.
        device: Where they compute.

    Returns:
        `ratios`: the median over the rounds and its range; by way `seconds` of each round,
        `texts_per_second` by their median, and `peak_mib`, GPU memory beyond what was in use before.
    """
    peaks = dict.fromkeys(ways, 0.0)

    def watched(name: str, way: Way) -> Way:
        def prepared(number: int) -> Callable[[], object]:
            before = _memory_in_use(device)
            waiting = [way(number)]
            _memory_in_use(device)

            def part() -> None:
                peak = _peak_of(waiting.pop(), device)  # with its last reference its memory goes
                peaks[name] = max(peaks[name], (peak - before) / MIB)

            return part

        return prepared

    every = race({name: watched(name, way) for name, way in ways.items()}, rounds + 1)
    counted = Rounds({name: seconds[1:] for name, seconds in every.seconds.items()})
    return {
        "ratios": {name: counted.ratio(*pair) for name, pair in ratios.items()},
        "seconds": counted.seconds,
        "texts_per_second": {name: n / counted.median(name) for name in ways},
        "peak_mib": peaks if device.type == "cuda" else None,
    }


def _memory_in_use(device: torch.device) -> int:
    """Let the device finish; return the bytes in use, from which the peak counts anew."""
    gc.collect()
    if device.type != "cuda":
        return 0
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _peak_of(part: Callable[[], object], device: torch.device) -> int:
    """Do a part to its end; return the most bytes that were in use."""
    part()
    if device.type != "cuda":
        return 0
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device)
