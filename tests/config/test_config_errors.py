"""From a program's ValueError to the one line that the user reads, and the words for an unknown name."""

import pytest

from src.config import UserError, as_user_error
from src.config.errors import did_you_mean, unknown


@pytest.mark.parametrize(
    ("what", "remedy", "line"),
    [
        ("opt", "", "opt: is odd"),
        ("opt x", "give --opt sgd", "opt x: is odd: give --opt sgd"),
        ("", "give --layer_decay 1", "is odd: give --layer_decay 1"),
        ("", "", "is odd"),
    ],
)
def test_a_value_error_becomes_the_users_line(what, remedy, line):
    with pytest.raises(UserError) as caught, as_user_error(what, remedy):
        raise ValueError("is odd")
    assert str(caught.value) == line
    assert caught.value.__suppress_context__


def test_other_errors_stay_faults():
    with pytest.raises(KeyError), as_user_error("opt"):
        raise KeyError("a fault")


def test_an_unknown_name_lists_the_known_ones_the_nearest_first():
    error = unknown("loss", "smooth", ["bce", "ce", "ce_smooth"])
    assert str(error) == "unknown loss 'smooth': choose one of ce_smooth, bce, ce"


def test_a_name_among_many_is_told_the_nearest_or_where_to_look():
    known = ["lr_max", "lr_min", "seed"]
    assert did_you_mean("lr_maxx", known, "see --help") == "did you mean lr_max?"
    assert did_you_mean("qqqq", known, "see --help") == "see --help"
