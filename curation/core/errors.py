"""The one error a person is meant to read."""


class UserError(ValueError):
    """Bad input: one line that says what, where and how to mend it (exit code 2).

    What it quotes may be anybody's text: control characters are shown as escapes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    """A text on one line, with what a terminal would obey or turn round written as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
