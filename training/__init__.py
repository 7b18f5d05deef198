"""Everything that loads a model: engines, trainers, judges, and what is measured of them.

May import nothing of `pipelines`, and of `curation` the error that a person reads alone.
Start with core/chat_template.py (messages to tokens) and core/checkpoint.py (folders to models).
"""
