"""Benchmarks: each competing way runs in the same call, in alternating rounds."""
