"""DuckDB: migrations and queries; the only SQL."""
