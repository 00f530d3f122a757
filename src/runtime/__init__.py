"""Device, ranks, logging, run folder, signals: the only rooms that read the environment."""
