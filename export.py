"""Export a checkpoint to MINDIR, ONNX or AIR.

    python export.py --pretrained outputs/vig_nano_digits/ckpt/best.ckpt --file_format MINDIR,ONNX
    python export.py --config_path dgmn2_export.yml

Writes <network>.mindir (.onnx, .air) to the current folder, each with a JSON file that describes its input and output.
MINDIR and ONNX files are loaded again and compared with the network; a file that differs is not kept.
"""

from __future__ import annotations

import sys

from src.runtime.entry import command_config, run_command


def main(argv: list[str]) -> int:
    """Read the configuration, export, return the exit code."""
    from src.commands.list_models import network_names, silent_settings
    from src.commands.opened_checkpoint import load_checkpoint

    readers = {"open_checkpoint": load_checkpoint, "network_names": network_names}
    resolved = command_config(argv, "export", __doc__, silent_settings, **readers)
    if resolved is None:
        return 0
    from src.commands.export import export

    return export(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
