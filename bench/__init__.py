"""Benchmarks, each of ways to do the same work, in one call. They run in a clone, not from the wheel."""
