"""What every model stage shares: checkpoints, chat templates, seeds, settings, the process.

May import nothing else of `training`; every room of it may import this one.
Start with chat_template.py and checkpoint.py.
"""
