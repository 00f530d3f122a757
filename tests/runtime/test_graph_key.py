"""The key of a compiled graph: equal for equal cells, another for whatever a compiler would read."""

from __future__ import annotations

from functools import partial

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from src.models import create_model
from src.runtime.graph_key import NoKeyError, graph_key

INPUT = Tensor(np.zeros((2, 3), np.float32))


def key(cell, *inputs):
    return graph_key(cell, inputs or (INPUT,))


def held(value):
    """A cell with `value` as an attribute."""
    cell = nn.Cell()
    cell.held = value
    return cell


def function_of(value):
    def outer():
        return value

    return outer


def parameter(values, name="p", requires_grad=True):
    return Parameter(Tensor(np.asarray(values, np.float32)), name=name, requires_grad=requires_grad)


def test_a_network_has_the_same_key_each_time_it_is_built():
    image = Tensor(np.zeros((1, 3, 32, 32), np.float32))
    build = partial(create_model, "vig_nano", 10)
    keys = {key(build(**options), image) for options in ({}, {}, {"drop_path_rate": 0.1}, {"seed": 7})}
    assert len(keys) == 2  # the seed only fills the parameters


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, 1.0),
        (1, True),
        (0.1, 0.1 + 1e-12),
        ("a", "b"),
        ((1, 2), (2, 1)),
        ({"a": 1}, {"a": 2}),
        (np.zeros(3), np.zeros(4)),
        (Tensor([1.0]), Tensor([2.0])),
        (Tensor([1.0], ms.float32), Tensor([1.0], ms.float16)),
        (ms.float32, ms.float16),
        (function_of(1), function_of(2)),
        (partial(max, 1), partial(max, 2)),
        (ops.Softmax(0), ops.Softmax(1)),
        (nn.Dense(3, 2), nn.Dense(3, 3)),
        (nn.Dense(3, 2), nn.Dense(3, 2).to_float(ms.float16)),
        (nn.Dense(3, 2), nn.Dense(3, 2).set_train()),
        (parameter([1.0]), parameter([1.0], name="q")),
        (parameter([1.0]), parameter([1.0], requires_grad=False)),
        (parameter([1.0]), parameter([1.0, 2.0])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_enters_a_graph_makes_another_key(one, other):
    assert key(held(one)) == key(held(one))
    assert key(held(one)) != key(held(other))


def test_the_values_of_parameters_do_not():
    assert key(held(parameter([1.0]))) == key(held(parameter([2.0])))


def test_inputs_of_another_shape_or_type_do():
    cell = held(1)
    others = [
        Tensor(np.zeros(shape, kind))
        for shape, kind in (((2, 3), np.float32), ((3, 2), np.float32), ((2, 3), np.int32))
    ]
    assert (
        len({key(cell, *inputs) for inputs in ((others[0],), (others[1],), (others[2],), (others[0], others[0]))}) == 4
    )


def test_shared_objects_differ_from_equal_ones():
    one, other = [1], [1]
    assert key(held((one, one))) != key(held((one, other)))


def test_what_cannot_be_read_has_no_key():
    with pytest.raises(NoKeyError, match="generator"):
        key(held(number for number in ()))
