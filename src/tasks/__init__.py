"""Tasks: the base class in `task`, the table of all tasks in `create`, and one folder per task.

A task may import inference and the leaves (datasets, loss, metrics, visualization, callbacks), but never another task,
training or commands. Only `create` imports all tasks.
"""
