"""Every test here runs real models, in a process prepared as a stage prepares its own."""

from __future__ import annotations

from training.core import environment

environment.prepare()
