"""How fast the database answers."""
