"""The 8B recipe on a laptop: its own sources and keys, made rows, a random model of four layers."""
