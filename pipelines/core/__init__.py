"""The frame: parameters, the run of a stage, atomic outputs, row groups, hashes of code.

May import `curation.core` alone of the other packages; every stage and command stands on it.
Start with stage.py, then io.py, outputs.py and params/.
"""
