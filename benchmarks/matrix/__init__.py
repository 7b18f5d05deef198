"""Tokenizers x templates x architectures: what is sampled is what is referenced and trained on."""
