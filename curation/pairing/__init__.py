"""From scored responses to training pairs: penalise length, rank, select, gather, account.

May import `curation.core`; the stages `pair` and `history`, and what-if, call it.
Start with pairs.py (the whole), then strategies.py (which responses are compared).
"""
