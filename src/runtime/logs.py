"""Logger for console and file, in the original projects' format: `2022-06-05 15:06:30:INFO:message`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from src.runtime.terminal import printable

LOGGER_NAME = "zoo"


class _Formatter(logging.Formatter):
    """One line per message, whatever names it contains."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)


_FORMAT = _Formatter("%(asctime)s:%(levelname)s:%(message)s", "%Y-%m-%d %H:%M:%S")


class _ConsoleHandler(logging.StreamHandler):
    """Handler that prints above a progress bar instead of into it."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stdout)
        sys.stdout.flush()


class _LogFile(logging.FileHandler):
    """Log file that is given up, with a line on the console, when it cannot be written: a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        get_logger().removeHandler(self)
        get_logger().warning("%s cannot be written any more (%s): the log continues here", self.baseFilename, error)


def get_logger() -> logging.Logger:
    """The project's logger; silent until `log_to_console` or `log_to_file`."""
    logger = logging.getLogger(LOGGER_NAME)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger


def log_to_console() -> logging.Logger:
    """Print the log on standard output; repeated calls have no further effect."""
    logger = get_logger()
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not any(isinstance(handler, _ConsoleHandler) for handler in logger.handlers):
        handler = _ConsoleHandler()
        handler.setFormatter(_FORMAT)
        logger.addHandler(handler)
    return logger


@contextmanager
def console_log() -> Iterator[None]:
    """Context in which this process logs on standard output, whether it is to do so later on or not."""
    logger = get_logger()
    before = list(logger.handlers), logger.level, logger.propagate
    log_to_console()
    try:
        yield
    finally:
        logger.handlers[:], level, logger.propagate = before
        logger.setLevel(level)  # not the attribute: it clears what loggers remember of levels


def log_to_file(path: Path) -> None:
    """Append the log to `path` as well."""
    handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_FORMAT)
    get_logger().addHandler(handler)
