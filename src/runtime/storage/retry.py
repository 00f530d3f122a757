"""Repetition after the service's faults, beyond the client's own for one request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from src.config import RemoteFault

ATTEMPTS = 5
FIRST_PAUSE = 1.0  # seconds before the second attempt; it doubles

Result = TypeVar("Result")


def retried(action: Callable[[], Result], worthwhile: Callable[[], bool] = lambda: True) -> Result:
    """The action's result; RemoteFault after the last attempt, or when another one is not `worthwhile`."""
    for attempt in range(1, ATTEMPTS):
        try:
            return action()
        except RemoteFault:
            if not worthwhile():
                raise
            time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
    return action()
