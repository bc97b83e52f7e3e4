"""Tests and benchmarks for a machine with a GPU that has torch and transformers and little else."""
