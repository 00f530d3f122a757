"""Device cells of one training step: gradients, accumulation, averages, loss scale, norms.

They import MindSpore and each other, and nothing else of src.
"""
