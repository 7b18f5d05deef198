"""Bytes to native rows: files of any of the forms people publish, each row read or named as bad.

May import `curation.core` and the layouts of `curation.sources`; the stage `fetch` calls it.
Start with readers.py (forms), then native.py (types).
"""
