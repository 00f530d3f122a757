"""What of a rank's output the user's screen shows."""

import pytest

from src.runtime.rank_process import NOISE, TRACEBACK, message_of, without_noise

NOTE = NOISE + b"24108,7f52,python):2026-11-27 [tcp_client.cc:367] Start] Event base dispatch success!"
ERROR = b"[ERROR] DISTRIBUTED(310,7fcc,python): wait receiving failed."


@pytest.mark.parametrize(
    ("data", "shown", "held"),
    [
        (b"one\ntwo\n", b"one\ntwo\n", b""),
        (b"one\n" + NOTE + b"\ntwo\n", b"one\ntwo\n", b""),
        (ERROR + b"\n", ERROR + b"\n", b""),  # the framework's errors are shown
        (b"\r 50%|#####", b"\r 50%|#####", b""),  # a progress bar does not wait for its line's end
        (b"one\n" + NOTE[:7], b"one\n", NOTE[:7]),
        (NOTE[:30], b"", NOTE[:30]),
        (b"\n", b"\n", b""),
    ],
)
def test_the_frameworks_notes_are_left_out_and_all_else_is_shown_at_once(data, shown, held):
    assert without_noise(data) == (shown, held)


def test_cut_at_any_place_the_text_is_the_same():
    text = b"one\n" + NOTE + b"\n" + ERROR + b"\ntwo"
    for cut in range(len(text)):
        first, held = without_noise(text[:cut])
        second, rest = without_noise(held + text[cut:])
        assert first + second + rest == b"one\n" + ERROR + b"\ntwo"


FRAMES = [f'  File "{number}.py", line 1, in call' for number in range(40)]
PAGES = [f"In file {number}.py" for number in range(40)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a note", "error: no folder", "  remedy"], ["error: no folder", "  remedy"]),
        ([TRACEBACK, "  old", "Error: old", TRACEBACK, "  x", "Error: new"], [TRACEBACK, "  x", "Error: new"]),
        ([TRACEBACK, *FRAMES, "Error: new", *PAGES], [TRACEBACK, *FRAMES[-15:], "Error: new", *PAGES[:14]]),
        ([TRACEBACK, "  cut off"], [TRACEBACK, "  cut off"]),
        (PAGES, PAGES[-30:]),
        ([], []),
    ],
)
def test_the_message_of_a_failed_rank_is_found_in_its_log(lines, message):
    assert message_of(lines) == message
