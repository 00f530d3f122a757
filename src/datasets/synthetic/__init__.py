"""Data sets for demos and tests: handwritten digits, drawn street scenes."""
