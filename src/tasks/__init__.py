"""Tasks: `task` says what commands and training ask of one, then a folder a task.

A task may import inference and the leaves (datasets, loss, metrics, visualization, callbacks); never another task,
training or commands. Only `create` knows them all.
"""
