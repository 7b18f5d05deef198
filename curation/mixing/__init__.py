"""From standardised sources to mixes and the prompt pool: members, caps, dedup, decontamination.

May import `curation.core`; the stages `mix`, `sft_mix` and `prompts` call it.
Start with mix.py.
"""
