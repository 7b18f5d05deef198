"""What is wrong with a file of rows, without a recipe: its form, its faults, the rules for them.

May import `curation.reading`, `sources`, `rules` and `mixing`; `prefloop lint` calls it.
Start with file.py (one file or several of one form) and checks.py (what is looked for).
"""
