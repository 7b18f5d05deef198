"""No truth to ask: what evaluation.oracle.file names where evaluation.oracle.function is null."""
