"""Tables in, tables out: the rules, mixes, pairs and audit of preference data; no torch, no CLI."""
