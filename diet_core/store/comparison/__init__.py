"""Queries that compare two runs."""
