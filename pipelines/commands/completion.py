"""prefloop completion: a script that completes commands and flags in a shell.

Run: eval "$(prefloop completion bash)"     in ~/.bashrc
     prefloop completion zsh > "${fpath[1]}/_prefloop"
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pipelines.shared import asking, command_list
from pipelines.shared.parsers import parser_of

TASK = "keep the project true"

SHELLS = ("bash", "zsh", "tcsh")


def main(argv: Sequence[str]) -> int:
    """Print the script of one shell."""
    parser = asking.parser("completion", __doc__, build=False)
    parser.add_argument("shell", choices=SHELLS)
    args = parser.parse_args(argv)
    return asking.guard("completion", lambda: print(_script(args.shell)))


def _script(shell: str) -> str:
    import shtab  # comes with DVC

    whole = argparse.ArgumentParser(prog="prefloop", description="online iterative RLHF")
    commands = whole.add_subparsers()
    for one in command_list.listed():
        if one.name != "completion":  # its parser is caught while it runs
            own = parser_of(one.module)
            commands.add_parser(one.name, parents=[own], add_help=False, help=one.sentence)
    commands.add_parser("completion").add_argument("shell", choices=SHELLS)
    script: str = shtab.complete(whole, shell=shell)
    return script
