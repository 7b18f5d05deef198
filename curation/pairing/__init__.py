"""From scored responses to training pairs: penalise length, rank, select, gather, account."""
