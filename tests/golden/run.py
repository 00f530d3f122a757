"""Compare one network with its fixture and say what was compared: `python -m tests.golden.run vig_ti eval [SCALE]`.

SCALE multiplies the input. With `kernels` after it the network is built from the CPU kernels. Exit code 1 when a
comparison fails. The tests start this in a process of its own, which bounds their memory.
"""

import sys

from src.runtime.device import prepare_process


def main(fixture: str, phase: str, scale: str = "1", formulation: str = "") -> int:
    """Print every comparison of `phase` ("eval" or "train")."""
    prepare_process()
    from tests.golden import check_dgcnet, check_dgmn2, check_hlg, check_pvig, check_resnext, check_vig, compare, reader
    from tests.support.kernels import kernels

    reader.input_scale = float(scale)
    if formulation == "kernels":
        compare.context = kernels()

    checks = (check_vig, check_pvig, check_resnext, check_hlg, check_dgcnet, check_dgmn2)
    check = next(check for check in checks if fixture in check.NETWORKS)
    lines = list(check.eval_lines(fixture) if phase == "eval" else check.train_lines(fixture))
    print("\n".join(map(str, lines)))
    return 0 if lines and all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
