"""Checks of tables: SQL files that return the rows at fault, and Great Expectations suites.

May import `curation.core`; checks/TABLE/*.sql are one check each.
Start with sql_checks.py.
"""
