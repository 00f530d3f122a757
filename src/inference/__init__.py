"""Networks with their weights at work: built from a configuration, evaluated, slid over large images.

May import models and checkpoints, besides runtime and config; knows no task.
"""
