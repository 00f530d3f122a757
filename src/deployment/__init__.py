"""Files that run outside this project: how they are written, opened, compared with their network, and made faster."""
