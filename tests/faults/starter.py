"""Starts stages for the crash tests: model libraries are imported once, each stage is a fresh fork.

It reads one JSON line {"argv": [module, ...], "cwd": folder, "said": file} after another. For each
it forks, runs the module as `python -m` would, and writes the process id, then its exit status.
Polars is not imported before the fork: its threads would not survive it.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading


def main() -> None:
    """Import what stages need, then start what is asked for, one at a time."""
    from training.core import environment

    environment.prepare()
    import datasets  # noqa: F401
    import trl  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification  # noqa: F401
    from transformers.models.llama import modeling_llama  # noqa: F401
    from trl import DPOConfig, DPOTrainer  # noqa: F401

    loaded = {"polars", "sklearn", "scipy"} & set(sys.modules)
    assert threading.active_count() == 1
    print(json.dumps({"loaded": sorted(loaded)}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            run(asked)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(asked: dict[str, str]) -> None:
    """In the child: the module's own main, with its words in a file."""
    code = 1
    try:
        said = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        null = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((null, said, said)):
            os.dup2(file, number)
        os.chdir(asked["cwd"])
        sys.argv = list(asked["argv"])
        runpy.run_module(asked["argv"][0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
