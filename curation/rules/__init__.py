"""The rules of the drop ledger: one predicate, one name, one reason each.

May import `curation.core`; the stage `standardize` applies those that a source's filters name.
Start with rule.py (what a rule is) and filters.py (how a recipe names one).
"""
