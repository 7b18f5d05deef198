"""All that gives a verdict: reward models, pairwise, multi-head, LLMs, programs, the oracle.

May import `training.core` and `training.engines`; scoring and measuring call it.
Start with protocol.py (what a judge is) and reward_model.py.
"""
