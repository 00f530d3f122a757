"""Weights into a network: all of them, or all but the head, or a table of what does not fit."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from src.checkpoints import load_weights
from tests.support.user_errors import message_of


@pytest.fixture
def network():
    """body.weight (2, 4), head.weight (3, 2), head.bias (3,), all zero."""
    cell = nn.SequentialCell()
    cell.insert_child_to_cell("body", nn.Dense(4, 2, weight_init="zeros", has_bias=False))
    cell.insert_child_to_cell("head", nn.Dense(2, 3, weight_init="zeros", bias_init="zeros"))
    cell.update_parameters_name()
    return cell


def _weights(num_classes=3):
    return {
        "body.weight": np.arange(8, dtype=np.float32).reshape(2, 4),
        "head.weight": np.full((num_classes, 2), 2.0, np.float32),
        "head.bias": np.full(num_classes, 3.0, np.float32),
    }


def _load(network, weights, class_num=(3, 3), new_head=False):
    return load_weights(network, weights, origin="x.ckpt", class_num=class_num, new_head=new_head)


def _values(network):
    return {name: parameter.asnumpy().tolist() for name, parameter in network.parameters_and_names()}


def test_all_weights_are_loaded(network):
    assert _load(network, _weights()) == []
    assert _values(network) == {
        "body.weight": [[0, 1, 2, 3], [4, 5, 6, 7]],
        "head.weight": [[2, 2], [2, 2], [2, 2]],
        "head.bias": [3, 3, 3],
    }


def test_parameters_keep_their_type(network):
    _load(network, {name: value.astype(np.float16) for name, value in _weights().items()})
    assert {parameter.dtype for parameter in network.get_parameters()} == {ms.float32}


def test_a_head_for_other_classes_is_an_error_unless_a_new_one_is_wanted(network):
    assert message_of(_load, network, _weights(5), class_num=(5, 3)) == (
        "x.ckpt has 5 classes, class_num is 3: give --class_num 5"
    )
    assert _values(network)["body.weight"] == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_new_head_keeps_its_initial_weights(network):
    assert _load(network, _weights(5), class_num=(5, 3), new_head=True) == ["head.weight", "head.bias"]
    assert _values(network) == {
        "body.weight": [[0, 1, 2, 3], [4, 5, 6, 7]],
        "head.weight": [[0, 0], [0, 0], [0, 0]],
        "head.bias": [0, 0, 0],
    }


def test_what_differs_in_more_than_the_classes_is_no_head(network):
    weights = {**_weights(5), "head.weight": np.zeros((5, 7), np.float32)}
    assert message_of(_load, network, weights, class_num=(5, 3), new_head=True) == (
        "x.ckpt does not match the network (another --backbone?): "
        "1 with another shape: head.weight file (5, 7), network (3, 2)"
    )


def test_another_network_is_a_table_of_names(network):
    weights = {"stem.weight": np.zeros((1, 2), np.float32), "head.bias": np.zeros(4, np.float32)}
    weights["head.weight"] = np.zeros((3, 2), np.float32)
    assert message_of(_load, network, weights, new_head=True) == (
        "x.ckpt does not match the network (another --backbone?): "
        "1 missing in the file: body.weight (2, 4) | "
        "1 not in the network: stem.weight (1, 2) | "
        "1 with another shape: head.bias file (4,), network (3,)"
    )
    assert _values(network)["head.bias"] == [0, 0, 0]


def test_a_long_table_is_shortened(network):
    weights = _weights() | {f"stage.{index}": np.zeros(1, np.float32) for index in range(10)}
    message = message_of(_load, network, weights)
    assert "10 not in the network: stage.0 (1,); stage.1 (1,);" in message
    assert message.endswith("stage.7 (1,) (+2 more)")
