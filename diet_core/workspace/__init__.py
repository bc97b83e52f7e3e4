"""An open workspace: the database with every finished run in it."""
