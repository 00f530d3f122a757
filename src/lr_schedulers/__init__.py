"""Learning-rate schedules as tables: `learning_rates(name, ...)` returns the rate of every step."""

from src.lr_schedulers.factory import check_schedule, learning_rates

__all__ = ["check_schedule", "learning_rates"]
