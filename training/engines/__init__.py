"""What samples, scores and gives log-probs: one small protocol, several engines behind it.

May import `training.core`; judges, trainers and the sampling stages call it.
Start with protocol.py, then transformers_sampler.py (the engine that needs nothing else).
"""
