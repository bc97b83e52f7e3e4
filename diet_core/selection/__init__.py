"""Selections: scores in, kept example ids out."""
