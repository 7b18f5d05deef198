"""Judges beside the reward model: pairwise models, LLMs behind an endpoint, Python functions."""
