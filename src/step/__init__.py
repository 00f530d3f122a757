"""Device cells of one training step: gradients, accumulation, averages, loss scale, norms.

They know MindSpore and each other, nothing else of src.
"""
