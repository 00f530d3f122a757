"""Random numbers as a stateless hash of (seed, layer, rank, step): the same in every process and after a resume.

The framework's dropout kernel on the CPU draws from shared state in racing threads: equal seeds give different masks.
"""

import zlib

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops


def hash_bits(counter):
    """Mix int32 counters into 23 random bits each: two rounds of xor-shift-multiply, wrapping around.

    Constants: the "lowbias32" integer hash, its second multiplier written as a negative int32. The masks make the
    arithmetic right shift a logical one.
    """
    x = ops.bitwise_xor(counter, ops.bitwise_and(ops.bitwise_right_shift(counter, 16), 0xFFFF))
    x = x * 0x7FEB352D
    x = ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, 15), 0x1FFFF))
    x = x * -0x7B935975
    x = ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, 16), 0xFFFF))
    return ops.bitwise_and(x, 0x7FFFFF)


class KeyedRandom(nn.Cell):
    """Base of the layers that draw: `uniform(count)` depends on the layer's key, the step and nothing else.

    The step counter is a Parameter that the training step owns. It is stored behind Cell's back, so that it appears
    neither among this network's parameters nor in its checkpoints; the compiler still sees it as a Parameter, and a
    changed value needs no recompilation.
    """

    def __init__(self):
        super().__init__()
        self.draw_from(Tensor(0, ms.int32), key=0)

    def draw_from(self, step: Tensor, key: int) -> None:
        """Use `step`, an int32 scalar, and `key`, this layer's own number, from now on."""
        object.__setattr__(self, "step", step)
        self.key = key

    def uniform(self, count):
        """(count,) float32 in [0, 1)."""
        # Hashing the step first keeps (step, element) pairs from colliding on one counter.
        stream = hash_bits(self.step + self.key)
        counter = ops.arange(count).astype(ms.int32) * -0x61C88647 + stream
        return hash_bits(counter).astype(ms.float32) / 8388608.0


def share_random_step(network: nn.Cell, step: Parameter, seed: int, rank: int) -> None:
    """Hand the training step's counter to every random layer of `network`, each with its own key.

    step: int32 scalar Parameter; its value when a layer runs picks the masks. Call before the network is compiled.
    A network that never got one draws the masks of step 0 each time.
    """
    for name, cell in network.cells_and_names():
        if isinstance(cell, KeyedRandom):
            key = zlib.crc32(f"{seed}/{rank}/{name}".encode())
            cell.draw_from(step, key - 2**31)
