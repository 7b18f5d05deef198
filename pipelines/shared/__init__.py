"""What several stages and commands need: sampling, scoring, judging, shards, hub, recipes.

May import `core`, `curation` and `training`; never a stage or a command.
Start with shards.py and sampling.py.
"""
