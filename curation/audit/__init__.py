"""Questions to a finished build: SQL over its tables, why, lineage, differences, the report.

May import `curation.core` and `curation.review`; the asking commands and stage `report` call it.
Start with views.sql (the views) and connect.py (how they are opened).
"""
