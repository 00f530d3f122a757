"""The names of all networks, for an entry point whose user has mistyped one."""

from __future__ import annotations


def network_names() -> list[str]:
    """Sorted names. MindSpore is loaded by this call only: a command line that is right does not wait for it."""
    from src.models import list_models

    return list_models()
