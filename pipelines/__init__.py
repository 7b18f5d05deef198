"""The graph and the command line: stages and commands, what they share, the frame below.

Arrows: `stages` and `commands` -> `shared` -> `core`; all may import `curation` and `training`.
Start with stages/mix.py and the graph that runs it, dvc.yaml.
"""

import os

# Polars' allocator gives large buffers back at once, and a batch later the kernel zeroes them anew:
# a fifth of a table stage's CPU time. It reads this when Polars is imported, so it stands here.
# Arrow's allocator does the same after 10 ms, unless told not to.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")
os.environ.setdefault(
    "_RJEM_MALLOC_CONF", "narenas:1,oversize_threshold:0,dirty_decay_ms:20000,muzzy_decay_ms:20000"
)
