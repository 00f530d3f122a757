"""A signal as a request, a second one as an order."""

import os
import signal

import pytest

from src.runtime.signals import STOPPED_EXIT_CODE, StopRequest


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_the_first_signal_is_noted_and_the_second_ends_at_once(name):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    number = getattr(signal, name)
    with StopRequest() as stop:
        assert stop.requested == ""
        os.kill(os.getpid(), number)
        assert stop.requested == name
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_the_handlers_are_restored_after_a_fault():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), StopRequest():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stopped_run_ends_with_the_code_of_sigterm():
    assert STOPPED_EXIT_CODE == 128 + signal.SIGTERM == 143
