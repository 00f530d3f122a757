"""A command of the project that knows the toy family and the toy task: with_toys.py train.py --key value ..."""

import importlib
import sys
from unittest.mock import patch

from src.runtime.entry import run_command


def main(argv: list[str]) -> int:
    from src.models.registry import FAMILIES
    from src.tasks.create import TASKS
    from tests.support.toy_family import TOY
    from tests.support.toy_task import BrightnessTask

    with patch.dict(FAMILIES, toy=TOY), patch.dict(TASKS, brightness=BrightnessTask):
        return importlib.import_module(argv[0].removesuffix(".py")).main(argv[1:])


if __name__ == "__main__":
    sys.exit(run_command(main))
