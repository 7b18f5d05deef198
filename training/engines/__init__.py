"""What samples and scores: one small protocol, several engines behind it."""
