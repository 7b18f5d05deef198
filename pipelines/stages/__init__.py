"""One file = one stage of dvc.yaml: typed arguments -> read -> call -> write.

May import `shared`, `core`, `curation` and `training`; no stage imports another, or a command.
Start with mix.py (a table stage) and dpo.py (a model stage).
"""
