"""The report of a build: one self-contained page, its figures, its figures' data.

May import `curation.audit`; the stage `report` calls it.
Start with build.py; measures.py has the rows of each figure, page.py the sections.
"""
