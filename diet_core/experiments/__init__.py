"""Retraining: arms, plans, the pool of examples and the results."""
