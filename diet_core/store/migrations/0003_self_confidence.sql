-- Null for runs that were loaded before.
ALTER TABLE scores ADD COLUMN self_confidence DOUBLE;
