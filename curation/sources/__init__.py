"""One normaliser per published set: native rows in, candidate items out."""
