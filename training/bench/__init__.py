"""Public chat and judge benchmarks in their own file forms and arithmetic.

May import the rest of `training` but `trainers`; the bench commands call it.
Start with contestants.py (what is asked) and judgments.py (what is scored).
"""
