"""Speed tricks, each switched off alone: what it gives, and so whether it stays."""
