"""Scores: arrays in, arrays out."""
