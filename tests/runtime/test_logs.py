"""The seeds' line format."""

import logging
import re
import time

import pytest

from src.runtime.logs import LOGGER_NAME, get_logger, log_to_console, log_to_file
from tests.support.processes import run_python

LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:INFO:epoch\[1\], lr=0\.000120\n"


@pytest.fixture
def logger():
    """The project's logger without handlers; as it was before afterwards."""
    logger = logging.getLogger(LOGGER_NAME)
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    logger.handlers = []
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.handlers, logger.propagate = handlers, propagate
    logger.setLevel(level)


def test_a_line_on_the_console_has_the_seeds_format(logger, capsys):
    log_to_console().info("epoch[%d], lr=%.6f", 1, 0.00012)
    captured = capsys.readouterr()
    assert re.fullmatch(LINE, captured.out)
    assert captured.err == ""


def test_the_console_is_opened_once(logger, capsys):
    log_to_console()
    log_to_console().info("epoch[1], lr=0.000120")
    assert re.fullmatch(LINE, capsys.readouterr().out)


def test_a_line_in_the_file_has_the_seeds_format_and_is_appended(logger, tmp_path, capsys):
    path = tmp_path / "train.log"
    path.write_text("before\n")
    log_to_console()
    log_to_file(path)
    get_logger().info("epoch[1], lr=0.000120")
    assert re.fullmatch("before\n" + LINE, path.read_text())
    assert re.fullmatch(LINE, capsys.readouterr().out)


def test_the_time_is_written_as_the_seeds_write_it(logger, capsys):
    record = logger.makeRecord("zoo", logging.INFO, "", 0, "training time used=1.00s", (), None)
    record.created = time.mktime((2022, 6, 5, 15, 6, 30, 0, 0, -1))
    log_to_console().handle(record)
    assert capsys.readouterr().out == "2022-06-05 15:06:30:INFO:training time used=1.00s\n"


def test_a_library_user_sees_no_lines_unasked():
    program = """
        from src.runtime.logs import get_logger
        get_logger().info("unasked")
        get_logger().warning("unasked")
    """
    finished = run_python(program)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
