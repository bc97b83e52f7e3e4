"""Review: decisions, queues, batches, audits, guidelines."""
