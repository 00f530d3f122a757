"""Callbacks of a training: log, evaluation, checkpoints, guards. Their dependencies are passed in."""
