"""The report of a build: one self-contained page, its figures, its figures' data."""
