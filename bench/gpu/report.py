"""The results as a page with tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.gpu.inputs import TOLERANCE


def as_markdown(results: dict[str, Any]) -> str:
    """Return the page.

    Args:
        results: What `bench.gpu.run` writes as JSON.
    """
    return "\n".join([*_lines(results), ""])


def _lines(results: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    states = [test["state"] for test in results["tests"]]
    parts = [(model, *part) for model, parts in results["models"].items() for part in parts.items()]
    benchmarks = [(model, name, figures) for model, name, figures in parts if "ratios" in figures]
    yield f"# Benchmarks on {results['device']}\n"
    yield f"`{results['command']}`, {results['seconds']:.0f} s; {versions}.\n"
    yield "Models have random weights; texts have random words and as many tokens as the bundled tweets."
    yield "A ratio is the median over alternating rounds, in brackets the lowest and the highest.\n"
    yield "| model | what | ratio |\n|---|---|---|"
    for model, _, figures in benchmarks:
        for what, ratio in figures["ratios"].items():
            yield f"| {model} | {what} | {ratio['median']:.2f} × ({ratio['low']:.2f}–{ratio['high']:.2f}) |"
    yield "\n| model | benchmark | way | texts per second | GPU memory at most, MiB |\n|---|---|---|---|---|"
    for model, name, figures in benchmarks:
        for way, speed in figures["texts_per_second"].items():
            peak = f"{figures['peak_mib'][way]:,.0f}" if figures["peak_mib"] else "–"
            yield f"| {model} | {name} | {way} | {speed:,.0f} | {peak} |"
    yield f"\nLargest differences; at most {TOLERANCE:g} is right (of norms relative, of EL2N absolute).\n"
    yield "| model | compared | difference |\n|---|---|---|"
    for model, name, figures in parts:
        if name == "differences":
            yield from (f"| {model} | {compared} | {value:.1e} |" for compared, value in figures.items())
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("passed", "failed", "skipped"))
    yield f"\nTests: {counts}."
    for note in {figures.get("note") for _, _, figures in benchmarks} | set(results["failures"]):
        yield f"\n{note}" if note else ""
