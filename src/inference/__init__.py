"""Inference: networks built from a configuration, evaluation, sliding windows.

May import models, checkpoints, runtime and config; independent of the tasks.
"""
