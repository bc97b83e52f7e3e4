"""Run folders, the worker process and what is read from them."""
