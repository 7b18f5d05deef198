"""Tables in the forms that other programs read.

May import `curation.core`; `prefloop export` calls it.
Start with forms.py.
"""
