"""Typed configuration: schema, reader, aliases of the original projects, help."""

from src.config.errors import RemoteFault, Standstill, UserError, as_user_error
from src.config.help import config_text, help_text
from src.config.reader import Resolved, read_config
from src.config.schema import Config

__all__ = [
    "Config",
    "RemoteFault",
    "Resolved",
    "Standstill",
    "UserError",
    "as_user_error",
    "config_text",
    "help_text",
    "read_config",
]
