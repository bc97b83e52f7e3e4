"""The process that does a run's work: it trains, scores and writes the run folder."""
