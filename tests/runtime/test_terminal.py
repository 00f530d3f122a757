"""Output that survives its reader and any name."""

import subprocess
import sys
import textwrap

import pytest

from src.runtime.terminal import printable
from tests.support.processes import PROJECT_ROOT, run_python


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a\nb", r"a\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("x\r\x00\x85", r"x\r\x00\x85"),
        ("abc\u202egnp.exe", r"abc\u202egnp.exe"),
        ("odd\udcff", r"odd\udcff"),
        ("tiền, 中文, C:\\x", "tiền, 中文, C:\\x"),
        ("می\u200cخواهم\u3000", "می\u200cخواهم\u3000"),
    ],
)
def test_a_name_is_one_line_and_no_command_to_the_terminal(text, shown):
    assert printable(text) == shown


COMMAND = r"""
    import sys, time
    from src.runtime.entry import run_command
    from src.runtime.logs import get_logger, log_to_console, log_to_file

    def main(argv):
        log_to_console()
        log_to_file(argv[0])
        for number in range(200):
            get_logger().info("step %d \u4e2d\udcff\n%s", number, "x" * 1000)
            print("a line")
            print("a line", file=sys.stderr)
        return 3

    sys.exit(run_command(main))
"""


CLOSED = ["| head -1", ">&-", "2>&-", "> /dev/full 2> /dev/full", "2>&1 | (exec <&-; sleep 1)"]


@pytest.mark.parametrize("closed", CLOSED)
def test_a_reader_that_goes_away_changes_neither_work_nor_exit_code(tmp_path, closed):
    program, log = tmp_path / "program.py", tmp_path / "train.log"
    program.write_text(textwrap.dedent(COMMAND), encoding="utf-8")
    command = f"set -o pipefail; {sys.executable} {program} {log} {closed}"
    finished = subprocess.run(["bash", "-c", command], env={"PYTHONPATH": str(PROJECT_ROOT)}, capture_output=True)
    assert finished.returncode == 3, finished.stderr
    lines = log.read_text().splitlines()
    assert len(lines) == 200
    assert "step 199 中\\udcff\\nxxx" in lines[-1]


@pytest.mark.parametrize("encoding", ["ascii:strict", "utf-8:strict", "latin-1"])
def test_no_terminal_is_too_narrow_for_a_name(encoding):
    program = r"""
        import sys
        from src.config import UserError
        from src.runtime.entry import run_command
        from src.runtime.logs import log_to_console

        def main(argv):
            log_to_console().info("class \u4e2d\udcff")
            print("class \u4e2d\udcff")
            raise UserError("class \u4e2d\udcff\nis not there")

        sys.exit(run_command(main))
    """
    finished = run_python(program, env={"PYTHONIOENCODING": encoding})
    name = "中" if encoding.startswith("utf-8") else r"\u4e2d"
    assert finished.returncode == 2
    assert finished.stderr == f"error: class {name}\\udcff\\nis not there\n"
    assert [line.rpartition(":")[2] for line in finished.stdout.splitlines()] == [f"class {name}\\udcff"] * 2
