"""Callbacks: what happens in a training besides the step. What they need is handed in."""
