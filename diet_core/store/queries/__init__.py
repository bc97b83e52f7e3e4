"""Queries for examples, charts and cards."""
