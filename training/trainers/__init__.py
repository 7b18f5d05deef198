"""What trains: base, SFT, reward and preference models, DPO, reference log-probs, LoRA.

May import `training.core`, `training.engines` and `training.judges`; the model stages call it.
Start with dpo.py; run.py is what all of TRL's trainers share.
"""
