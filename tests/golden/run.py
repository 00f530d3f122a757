"""Compare one network with its fixture and say what was compared: `python -m tests.golden.run vig_ti eval [SCALE]`.

SCALE multiplies the input. With `kernels` after it the network is built from the CPU kernels, with `GPU` it runs there,
its convolutions without TF32. Exit code 1 when a comparison fails. The tests start this in a process of its own, which
bounds their memory.
"""

import sys

from src.runtime.device import forbid_tf32, prepare_process


def main(fixture: str, phase: str, scale: str = "1", formulation: str = "") -> int:
    """Print every comparison of `phase` ("eval" or "train")."""
    prepare_process()
    import mindspore as ms

    from src.models import LayerContext
    from tests.golden import check_dgcnet, check_dgmn2, check_hlg, check_pvig, check_resnext, check_vig, compare, reader

    reader.input_scale = float(scale)
    if formulation == "kernels":
        from tests.support.kernels import kernels

        compare.context = kernels()
    elif formulation == "GPU":
        ms.set_device("GPU")
        forbid_tf32("GPU")
        compare.context = LayerContext(device="GPU")

    checks = (check_vig, check_pvig, check_resnext, check_hlg, check_dgcnet, check_dgmn2)
    check = next(check for check in checks if fixture in check.NETWORKS)
    lines = list(check.eval_lines(fixture) if phase == "eval" else check.train_lines(fixture))
    print("\n".join(map(str, lines)))
    return 0 if lines and all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
