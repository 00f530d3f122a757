"""ModelArts jobs: data and checkpoints from a bucket before the work, results to a bucket while it is done."""

from src.runtime.modelarts.job import localised
from src.runtime.modelarts.results import results_uploaded

__all__ = ["localised", "results_uploaded"]
