"""Benchmarks of reward models: their arithmetic, and what is asked of a judge.

One module a benchmark; each takes items and the scores of their responses.
"""
