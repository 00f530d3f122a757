"""DGMN2's sampling where its definition says what comes out, other image sizes, and what it shows of itself."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.models import LayerContext, create_model
from src.models.dgmn2.attention import RelativePosition, SampledAttention
from src.models.layers import TAPS, Sampling, named_rows, resize_linear
from src.models.layers.cpu.dense_rows import LARGEST_MAP


@pytest.fixture(autouse=True)
def mode():
    ms.set_context(mode=ms.PYNATIVE_MODE)


def offsets_to(row, column):
    """Offsets (1, 1, 1, 18) that bring the first tap of the first node, at (-1, -1), to this position."""
    return Tensor(np.repeat(np.float32([row + 1, column + 1]), TAPS).reshape(1, 1, 1, 2 * TAPS))


def corners_of(row, column, height=4, width=5):
    """{(row, column): weight} of the pixels that a position on a map reads."""
    pixels, weights = Sampling(height, width, num_heads=1).corners(offsets_to(row, column))
    pixels, weights = pixels.asnumpy()[0, 0, 0, ::TAPS], weights.asnumpy()[0, 0, 0, ::TAPS]
    return {divmod(int(pixel), width): float(weight) for pixel, weight in zip(pixels, weights, strict=True) if weight}


def test_places_without_offset_are_the_window():
    offsets = Tensor(np.zeros((1, 20, 1, 18), np.float32))
    found = Sampling(4, 5, num_heads=1).positions(offsets).asnumpy()[0, 7, 0]  # row 1, column 2
    assert found[:9].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found[9:].tolist() == [1, 2, 3, 1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (1.0, 2.0, {(1, 2): 1.0}),
        (1.25, 2.5, {(1, 2): 0.375, (1, 3): 0.375, (2, 2): 0.125, (2, 3): 0.125}),
        (-0.25, 4.5, {(0, 4): 0.375}),
        (3.5, 0.0, {(3, 0): 0.5}),
        (-1.0, 2.0, {}),
        (4.0, 2.0, {}),
        (1.0, 1e30, {}),
    ],
)
def test_corners(row, column, expected):
    assert corners_of(row, column) == expected


@pytest.mark.parametrize("row", [-1.0, 4.0, -7.5])
def test_a_sample_out_of_reach_has_no_gradient(row):
    sampling = Sampling(4, 5, num_heads=1)
    gradient = ms.grad(lambda to: sampling.corners(to)[1][0, 0, 0, 2 * TAPS :: TAPS].sum())(offsets_to(row, 2.0))
    assert np.abs(gradient.asnumpy()).max() == 0


def test_positions_that_are_not_numbers_name_pixels_of_the_map():
    pixels, weights = Sampling(4, 5, num_heads=2).corners(offsets_to(np.nan, 2.0))
    assert 0 <= pixels.asnumpy().min() <= pixels.asnumpy().max() < 40
    assert np.isnan(weights.asnumpy()).any()


class Corners(nn.Cell):
    """What a SampledAttention's samples lie between, as a network."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def construct(self, x):
        return self.attention.mixture.corners(self.attention.offsets(x))


def test_half_precision_rounds_neither_positions_nor_numbers_of_pixels():
    """Of 3136 pixels; the offsets, 1/128, are gone when they are added to 54 in float16."""
    ms.set_context(mode=ms.GRAPH_MODE)
    attention = SampledAttention(4, num_heads=1, side=56, context=LayerContext())
    attention.conv_offset.bias.set_data(Tensor(np.full(2 * TAPS, 2**-7, np.float32)))
    weights, (numbers, _) = Corners(attention).to_float(ms.float16)(ms.ops.zeros((1, 3136, 4)))
    node, tap = 54 * 56 + 54, 4  # between rows and columns 54 and 55
    assert numbers.asnumpy()[node, tap::TAPS].tolist() == [node, node + 1, node + 56, node + 57]
    near, far = 1 - 2**-7, 2**-7
    expected = [near * near, near * far, far * near, far * far]
    np.testing.assert_allclose(weights.asnumpy()[node, :, tap], expected, rtol=1e-3)


@pytest.mark.parametrize("context", [LayerContext(), LayerContext(device="GPU"), LayerContext(exporting=True)])
@pytest.mark.parametrize("num_nodes", [3, LARGEST_MAP + 1])  # 3 here; what is chosen for larger maps must do too
def test_comparison_and_mixture_of_named_rows(context, num_nodes):
    generator = np.random.default_rng(0)
    q, k, v = generator.standard_normal((3, 12, 5)).astype(np.float32)  # 2 images of 3 nodes and 2 heads
    weights = generator.standard_normal((12, 4)).astype(np.float32)
    named = (2 * generator.integers(0, 3, (2, 3, 2, 4)) + [[0], [1]]).astype(np.int32)  # each of its own head
    number, compare, mix = named_rows(num_nodes, context)
    where = number(Tensor(named))
    rows = (named + np.int32([0, 6]).reshape(2, 1, 1, 1)).reshape(12, 4)
    products = compare(Tensor(q), Tensor(k), *where).asnumpy()
    np.testing.assert_allclose(products, np.einsum("rd,rjd->rj", q, k[rows]), atol=1e-5)
    mixed = mix(Tensor(weights), Tensor(v), *where).asnumpy()
    np.testing.assert_allclose(mixed, np.einsum("rj,rjd->rd", weights, v[rows]), atol=1e-5)


def test_relative_position_reads_the_rows_of_the_node_and_of_its_mirror():
    cell = RelativePosition(3, num_heads=1, head_channels=1)
    cell.rel_width.set_data(Tensor(np.arange(11, dtype=np.float32).reshape(11, 1)))
    cell.rel_height.set_data(Tensor(100 * np.arange(11, dtype=np.float32).reshape(11, 1)))
    q = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    found = cell(Tensor(q.reshape(9, 1))).asnumpy().reshape(3, 3, TAPS)
    row, column, tap = 0, 2, 4
    assert found[row, column, tap] == q[0, 2] * (2 - 2 + 4) + q[2, 0] * 100 * (2 - 2 + 4)


def test_attention_without_preference_averages_the_window():
    attention = SampledAttention(4, num_heads=2, side=3, context=LayerContext())
    attention.qkv.weight.set_data(Tensor(np.concatenate([np.zeros((8, 4)), np.eye(4)]).astype(np.float32)))
    attention.proj.weight.set_data(Tensor(np.eye(4, dtype=np.float32)))
    x = np.arange(36, dtype=np.float32).reshape(1, 9, 4)
    found = attention(Tensor(x)).asnumpy()[0]
    np.testing.assert_allclose(found[4], x[0].mean(0), rtol=1e-6)  # the centre sees the whole map
    np.testing.assert_allclose(found[0], x[0, [0, 1, 3, 4]].sum(0) / 9, rtol=1e-6)  # the corner's 5 others lie outside


def test_tables_are_resized_linearly():
    table = np.float32([[0, 10], [2, 10], [4, 10]])
    assert resize_linear(table, 3).tolist() == table.tolist()
    np.testing.assert_allclose(resize_linear(table, 6)[:, 0], [0, 0.5, 1.5, 2.5, 3.5, 4])
    np.testing.assert_allclose(resize_linear(table, 1), [[2, 10]])


def test_tables_of_another_image_size():
    network = create_model("dgmn2_nano", 10, 64)
    other = {name: parameter.asnumpy() for name, parameter in create_model("dgmn2_nano", 10).parameters_and_names()}
    resized = {name: network.resize_parameter(name, value) for name, value in other.items()}
    changed = {name for name, value in resized.items() if value is not None}
    tables = [f"block{stage}.0.attn.pos_emb.rel_{axis}" for stage in (1, 2, 3, 4) for axis in ("height", "width")]
    assert changed == set(tables)
    shapes = {name: parameter.shape for name, parameter in network.parameters_and_names()}
    assert {name: resized[name].shape for name in tables} == {name: shapes[name] for name in tables}
    assert shapes["block1.0.attn.pos_emb.rel_width"] == (32 + 8, 32)


def test_feature_maps_are_the_stages():
    network = create_model("dgmn2_nano", 10).set_train(False)
    x = Tensor(np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32))
    maps = network.feature_maps(x)
    assert [map_.shape for map_ in maps] == [(2, 32, 16, 16), (2, 64, 8, 8), (2, 96, 4, 4), (2, 128, 2, 2)]
    np.testing.assert_allclose(maps[3].mean((2, 3)).asnumpy(), network.features(x).asnumpy(), atol=1e-6)


def test_sampled_positions():
    network = create_model("dgmn2_nano", 10).set_train(False)
    x = Tensor(np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32))
    before = network(x).asnumpy()
    found = network.sampled_positions(x)
    assert [positions.shape for positions, _ in found] == [
        (2, heads, side * side, TAPS, 2) for heads, side in ((1, 16), (2, 8), (3, 4), (4, 2))
    ]
    assert [attention.shape for _, attention in found] == [positions.shape[:-1] for positions, _ in found]
    for _, attention in found:
        np.testing.assert_allclose(attention.asnumpy().sum(-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(network(x).asnumpy(), before)


def test_sampled_positions_are_row_and_column():
    network = create_model("dgmn2_nano", 10).set_train(False)
    offset = network.block1[0].attn.conv_offset
    offset.weight.set_data(ms.ops.zeros_like(offset.weight))
    offset.bias.set_data(Tensor(np.tile(np.float32([0.5, -2.0]), TAPS)))  # down by half a pixel, left by 2
    positions, _ = network.sampled_positions(Tensor(np.ones((1, 3, 32, 32), np.float32)))[0]
    node = 3 * 16 + 7
    assert positions[0, 0, node, 4].asnumpy().tolist() == [3.5, 5.0]
    assert positions[0, 0, node, 2].asnumpy().tolist() == [2.5, 6.0]  # tap 2: row - 1, column + 1


@pytest.mark.parametrize("shape", [(1, 3, 32, 64), (1, 3, 64, 64)])
def test_images_of_another_shape_are_refused(shape):
    network = create_model("dgmn2_nano", 10)
    with pytest.raises(ValueError, match="takes square images of the size that it was built for"):
        network(ms.ops.zeros(shape))
