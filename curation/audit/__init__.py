"""Questions to a finished build: SQL over its tables, lineage, differences, the report."""
