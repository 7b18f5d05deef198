"""The local web app: SQL over a build, its pairs, what-if pairing, and blind review."""
