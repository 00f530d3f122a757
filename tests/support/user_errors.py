"""What a user reads after a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from src.config import UserError


def message_of(call: Callable, *args: Any, **options: Any) -> str:
    """The message of the UserError that the call must end with; it is one line."""
    with pytest.raises(UserError) as caught:
        call(*args, **options)
    message = str(caught.value)
    assert len(message.splitlines()) == 1, message
    return message
