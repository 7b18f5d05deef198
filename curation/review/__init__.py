"""People's review of pairs: what to look at, what was decided, how far people agree."""
