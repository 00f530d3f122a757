"""A training keeps its folder to itself and outlives its terminal."""

import signal

from tests.support.commands import mistake, run_process, start_command, wait_until

BUSY = "--max_epoch", "20", "--lr_decay_mode", "constant"


def test_a_training_goes_on_without_its_terminal_and_nobody_else_continues_it(tiny):
    first = start_command("train.py", *tiny.options, *BUSY)
    assert first.stdout.readline() != ""
    first.stdout.close()  # as `train.py | head -1` does
    wait_until(lambda: tiny.identity() > 0, first)
    first.send_signal(signal.SIGHUP)
    message = mistake(run_process("train.py", *tiny.options, *BUSY, "--resume", "auto"))
    assert message.startswith(f"run folder {tiny.folder} belongs to a training that still runs (process {first.pid}): ")
    second = run_process("train.py", *tiny.options, "--max_steps", "1")
    assert (first.wait(), first.stderr.read()) == (0, "")
    first.stderr.close()
    assert f"run folder {tiny.folder}-2\n" in second.out
    assert tiny.epochs == list(range(1, 21))
    assert "the terminal has closed (SIGHUP): the run continues" in tiny.log
    assert tiny.log.splitlines()[-1].endswith(
        f"see {tiny.folder}/curves.png, {tiny.folder}/train.log and {tiny.checkpoints}"
    )
