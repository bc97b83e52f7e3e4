"""Files and hubs: readers, writers, the bundled sample."""
