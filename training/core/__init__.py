"""What every model stage shares: checkpoints, chat templates, the process environment."""
