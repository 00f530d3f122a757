"""Training runs: trainer, schedule, state, report.

May import tasks, step, callbacks and all rooms below them, but not commands.
"""
