"""DuckDB: migrations and queries; the only SQL.

`store.open_store(workspace)` returns the `Store`; everything else is a function that takes one: `loading`
writes data sets and runs, `decisions` what reviewers do; `queries` and `comparison` read.
"""
