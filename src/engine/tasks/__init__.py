"""What is learned: which data, loss, metric and drawing belong together."""
