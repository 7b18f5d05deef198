"""One file = one `prefloop` command: parse, call, print; `main(argv)` returns the exit code.

May import `shared`, `core`, `curation` and `training`; no command imports another, or a stage.
Start with why.py; ../cli.py lists them all.
"""
