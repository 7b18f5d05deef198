"""The argument parser of a command or a stage, caught at the moment at which it would parse."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any, NoReturn
from unittest.mock import patch

Parser = argparse.ArgumentParser


class _CaughtError(Exception):
    """Carries the parser out of the command's main, with whether it refuses unknown arguments."""


def parser_of(module: str) -> Parser:
    """The parser that a module's main builds."""
    return _caught(module, [])[0]


def parses(module: str, argv: Sequence[str]) -> None:
    """Let the module's own parser take the arguments; nothing else of it runs.

    Raises:
        SystemExit: the parser refuses them, and has said so on stderr.
    """
    parser, strict = _caught(module, argv)
    (parser.parse_args if strict else parser.parse_known_args)(list(argv))


def _caught(module: str, argv: Sequence[str]) -> tuple[Parser, bool]:
    main = importlib.import_module(module).main
    with patch.multiple(Parser, parse_args=_catch(True), parse_known_args=_catch(False)):
        try:
            main(list(argv))
        except _CaughtError as found:
            parser, strict = found.args
            return parser, strict
    raise ValueError(f"{module}: main() parses nothing")


def _catch(strict: bool) -> Any:
    def caught(parser: Parser, *_: Any, **__: Any) -> NoReturn:
        raise _CaughtError(parser, strict)

    return caught
