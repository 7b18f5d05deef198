"""The one error a person is meant to read."""


class UserError(ValueError):
    """Bad input: one line that says what, where and how to mend it (exit code 2)."""
