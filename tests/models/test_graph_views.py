"""From the arrays of a network to what its nodes are connected with: literal cases of each kind."""

from types import SimpleNamespace

import numpy as np

from src.models.dgmn2.graph_view import sample_layers
from src.models.graphs import node_box
from src.models.hlg.graph_view import attention_layers
from src.models.vig.classifier import GraphLayer
from src.models.vig.graph_view import neighbour_layers

NAN = np.nan


def test_neighbours_on_a_coarser_map():
    network = SimpleNamespace(graph_layers=[GraphLayer(side=4, key_side=2, num_neighbours=2, dilation=1)])
    neighbours = np.zeros((1, 16, 2), np.int32)
    neighbours[0, 6] = [3, 1]
    (layer,) = neighbour_layers(network, [neighbours])
    assert (layer.title, layer.side) == ("layer 1: 4 x 4 nodes\n2 of 4, dilation 1", 4)
    links = layer.links[""](6)
    assert links.points.tolist() == [[0.75, 0.75, 1], [0.25, 0.75, 1]]
    np.testing.assert_array_equal(links.weights, [[NAN, 1], [NAN, 1]])
    assert links.frames == ()


WINDOWS = np.array([[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]])
DILATED = np.array([[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]])


def local_global(groups):
    """Layer with weights that differ everywhere: of two heads, the first looks as numbered, the other not at all."""
    local = np.zeros((1, 4, 2, 4, 4))
    local[0, :, 0] = np.arange(64).reshape(4, 4, 4)
    means = np.zeros((1, 2, 16, 4))
    means[0, 0] = np.arange(64).reshape(16, 4)
    (layer,) = attention_layers(SimpleNamespace(groups=[groups]), [(local, means)])
    return layer


def test_attention_within_a_window():
    layer = local_global(WINDOWS)
    assert (layer.title, layer.side) == ("block 1: 4 x 4 tokens\nwindows of 4", 4)
    links = layer.links["in its group"](6)  # third of the second window: 16 + 8, 9, 10, 11, halved by the mean
    np.testing.assert_array_equal(links.weights, [[NAN, NAN, 12, 12.5], [NAN, NAN, 13, 13.5], [NAN] * 4, [NAN] * 4])
    assert links.frames == [(0, 0.5, 0.5, 0.5)]


def test_attention_within_a_dilated_group_and_to_means():
    layer = local_global(DILATED)
    assert layer.title == "block 1: 4 x 4 tokens\ndilated groups of 4"
    links = layer.links["in its group"](6)  # second of the third group: 32 + 4, 5, 6, 7
    np.testing.assert_array_equal(links.weights, [[NAN] * 4, [18, NAN, 18.5, NAN], [NAN] * 4, [19, NAN, 19.5, NAN]])
    assert links.frames == []
    means = layer.links["at group means"](6)  # 24, 25, 26, 27
    two_rows = [[12, 12.5, 12, 12.5], [13, 13.5, 13, 13.5]]
    assert means.weights.tolist() == two_rows * 2


def test_attention_of_all_tokens_leaves_the_class_token_out():
    weights = np.arange(25.0).reshape(1, 1, 1, 5, 5)
    (layer,) = attention_layers(SimpleNamespace(groups=[np.arange(4)[None]]), [(weights,)])
    assert list(layer.links) == ["in its group"]
    assert layer.title == "block 1: 2 x 2 tokens\nattention to all"
    links = layer.links["in its group"](2)
    assert links.weights.tolist() == [[16, 17], [18, 19]]
    assert links.frames == []


def test_samples_of_all_heads_within_the_map():
    positions = np.zeros((1, 2, 4, 3, 2))
    positions[0, 0, 1] = [[0, 0], [0.5, 1], [-1, 0]]  # the last is a pixel outside
    positions[0, 1, 1] = [[1, 1], [1.4, 0.25], [0, 1.6]]
    attention = np.zeros((1, 2, 4, 3))
    attention[0, :, 1] = [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]
    (layer,) = sample_layers(None, [(positions, attention)])
    assert (layer.title, layer.side) == ("block 1: 2 x 2 nodes\n3 samples x 2 heads", 2)
    links = layer.links[""](1)
    expected = [[0.25, 0.25, 0.5], [0.5, 0.75, 0.3], [0.75, 0.75, 0.1], [0.95, 0.375, 0.2]]
    np.testing.assert_allclose(links.points, expected)


def test_a_nodes_own_patch():
    assert node_box(6, 4) == (0.25, 0.5, 0.25, 0.25)
