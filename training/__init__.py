"""Everything that loads a model: engines, trainers, reference log-probs, evaluation."""
