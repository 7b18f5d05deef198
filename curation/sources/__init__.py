"""Native rows to candidates and judged items: one normaliser per published form.

May import `curation.core` and `curation.rules`; the stages `fetch` and `standardize` call it.
Start with base.py (what a format is) and formats.py (all of them by name).
"""
