"""What is measured of judges and policies: accuracy, win rates, KL, length bias.

May import `training.core`, `training.engines` and `training.judges`; bench and commands call it.
Start with judge_quality.py.
"""
