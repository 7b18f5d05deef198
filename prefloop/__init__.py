"""prefloop: online iterative RLHF as a versioned dataset build.

`prefloop` in a shell, `import prefloop as pf` in Python. The rooms behind it, installed beside it,
are `pipelines` (the graph and the commands), `curation` (tables) and `training` (models).
"""
