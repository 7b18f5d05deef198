"""SQL that belongs to the code: one statement a file, in the `statements` folder of a package."""

from __future__ import annotations

from importlib.resources import files


def statement(package: str, name: str) -> str:
    """The text of statements/NAME.sql of a package, named in full so that its files are followed.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return files(package).joinpath("statements", f"{name}.sql").read_text("utf-8")
