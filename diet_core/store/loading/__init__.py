"""Writing data sets and runs into the database."""
