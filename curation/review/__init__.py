"""People's review of pairs: what to look at, what was decided, how far people agree.

May import `curation.core`; `prefloop review`, the web app and the stage `pair` call it.
Start with decisions.py.
"""
