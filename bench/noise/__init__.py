"""How well each score finds label errors that were planted or are known."""
