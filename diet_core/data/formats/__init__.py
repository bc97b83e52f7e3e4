"""Reading and writing files: CSV, TSV, JSON, JSONL, Parquet."""
