"""The claims bench: the paper's claims as experiments, their statistics, tables and figures."""
