"""Public chat and judge benchmarks in their own file formats: plain arithmetic, no model here."""
