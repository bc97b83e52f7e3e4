"""Run folders: their config, status, recorded facts, derived scores and cost."""
