"""Tables in, tables out: the rules, mixes, pairs and audit of preference data.

May import nothing of `pipelines` or `training`; no torch, no paths of a build, no command line.
Start with core/schema.py (every table), then sources/ (rows in) and pairing/ (pairs out).
"""
