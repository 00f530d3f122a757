"""Training runs: from a configuration to a run folder.

May import tasks, step, callbacks and all below; not commands.
"""
