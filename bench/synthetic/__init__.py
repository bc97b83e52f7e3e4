"""Made-up data sets and runs of any size, for benchmarks."""
