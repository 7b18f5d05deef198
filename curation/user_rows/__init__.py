"""Generations and scores that people bring: their rows, parsed and accounted for.

May import `curation.core` and `curation.reading`; `prefloop import` and the panel call it.
Start with parse.py.
"""
