"""Optimizers, step by step, against lists computed apart in numpy float64 from the published formulas."""

import numpy as np
import pytest
from mindspore import Parameter, Tensor

from src.optimizers import create_optimizer

GRADIENTS = [[0.3, -0.2, 1], [-0.1, 0.4, 0.001], [0.2, 0, -2], [0.05, 0.7, 0.5], [0, -0.3, 0.1]]
RATES = [0.01, 0.02, 0.03, 0.02, 0.01]
FIVE_STEPS = {
    "adamw": [
        [0.9895, -1.989000001, 0.48975],
        [0.980506129, -1.994333071, 0.475844202],
        [0.960942776, -1.999831543, 0.485323753],
        [0.948647623, -2.010123339, 0.48773265],
        [0.943383303, -2.012149279, 0.488472634],
    ],
    "adamweightdecay": [
        [0.967877257, -1.967377273, 0.468127233],
        [0.932894103, -1.996525684, 0.410646396],
        [0.841932236, -2.035558229, 0.460489742],
        [0.779413927, -2.100408966, 0.475778487],
        [0.751255963, -2.1169299, 0.481244114],
    ],
    "lamb": [
        [0.986881099, -1.98625639, 0.487193454],
        [0.963407284, -2.000186809, 0.450895714],
        [0.904168175, -2.016831777, 0.479751564],
        [0.86991349, -2.045590478, 0.486509556],
        [0.848856854, -2.053683581, 0.489494167],
    ],
    "lion": [
        [0.9895, -1.989, 0.48975],
        [1.0085105, -2.007011, 0.46926025],
        [0.976997734, -2.034000484, 0.49855636],
        [0.956020737, -2.051966483, 0.478057803],
        [0.945542726, -2.0409405, 0.467818774],
    ],
    "momentum": [
        [0.9965, -1.997, 0.48975],
        [0.9912035, -1.997603, 0.47079025],
        [0.97656642, -1.995420646, 0.504488402],
        [0.965807605, -2.006115812, 0.514202805],
        [0.960483235, -2.006925579, 0.517317185],
    ],
}
FIVE_STEPS["sgd"] = FIVE_STEPS["momentum"]


def weight(values, name="weight"):
    return Parameter(Tensor(np.float32(values)), name=name)


def run(optimizer, gradients):
    """The first parameter after each step."""
    weights = []
    for gradient in gradients:
        optimizer((Tensor(np.float32(gradient)),))
        weights.append(optimizer.parameters[0].asnumpy().copy())
    return np.array(weights)


@pytest.mark.parametrize("name", sorted(FIVE_STEPS))
def test_five_steps(name, mode):
    optimizer = create_optimizer(name, [weight([1, -2, 0.5])], RATES, weight_decay=0.05)
    # Without bias correction, 1 - 0.999 in float32 (1e-5 off) shows in the sixth digit of the update.
    tolerance = 3e-6 if name == "adamweightdecay" else 1e-6
    np.testing.assert_allclose(run(optimizer, GRADIENTS), FIVE_STEPS[name], rtol=tolerance)


@pytest.mark.parametrize(
    ("name", "gradients", "expected"),
    [
        ("adamw", [[1], [3], [1]], [0.9895, 0.9798, 0.9706]),
        ("adamweightdecay", [[1], [3], [1]], [0.9679, 0.9284, 0.8849]),
        ("adamw", [[1], [1], [1]], [0.9895, 0.9790, 0.9685]),
        ("adamweightdecay", [[1], [1], [1]], [0.9679, 0.9249, 0.8749]),
    ],
)
def test_bias_correction_tells_the_two_adams_apart(name, gradients, expected):
    optimizer = create_optimizer(name, [weight([1])], [0.01] * 3, weight_decay=0.05)
    assert run(optimizer, gradients)[:, 0].round(4).tolist() == np.float32(expected).tolist()


def test_adamw_places_epsilon_as_pytorch_does():
    """sqrt(v / c2) + eps, not sqrt(v) + eps: visible with a large eps."""
    optimizer = create_optimizer(
        "adamw", [weight([1, -2, 0.5])], RATES, weight_decay=0.05, beta1=0.8, beta2=0.95, eps=0.1
    )
    expected = [
        [0.992, -1.992333333, 0.490659091],
        [0.98616658, -1.996710665, 0.479015309],
        [0.972473489, -2.000331934, 0.490140666],
        [0.964373738, -2.009356553, 0.49283373],
        [0.961181568, -2.010628129, 0.493573113],
    ]
    np.testing.assert_allclose(run(optimizer, GRADIENTS), expected, rtol=1e-6)


def test_a_warmup_from_zero_leaves_the_weight_where_it_is():
    optimizer = create_optimizer("adamw", [weight([1])], [0.0, 0.01], weight_decay=0.05)
    assert run(optimizer, [[1], [1]])[:, 0].round(4).tolist() == np.float32([1.0, 0.9895]).tolist()


def test_beyond_its_end_the_table_keeps_its_last_rate():
    optimizer = create_optimizer("sgd", [weight([1])], [0.5, 0.25], momentum=0.0)
    assert run(optimizer, [[1], [1], [1], [1]])[:, 0].tolist() == [0.5, 0.25, 0.0, -0.25]
    assert [optimizer.learning_rate_at(step) for step in (0, 1, 2, 9)] == [0.5, 0.25, 0.25, 0.25]
    assert int(optimizer.global_step.asnumpy()) == 4


def test_a_step_of_lamb_is_as_long_as_the_weight():
    """|w| = 5, the direction is (1, 1): 0.1 * 5 / sqrt(2) = 0.35355 in each element."""
    optimizer = create_optimizer("lamb", [weight([3, 4])], [0.1], weight_decay=1e-12)
    np.testing.assert_allclose(run(optimizer, [[7, 7]])[0], [2.6464466, 3.6464466], rtol=1e-6)


@pytest.mark.parametrize(("values", "decay"), [([0, 0], 0.05), ([3, 4], 0.0)])
def test_lamb_takes_adams_step_where_there_is_no_length_or_no_decay(values, decay):
    optimizer = create_optimizer("lamb", [weight(values)], [0.1], weight_decay=decay)
    expected = np.array(values) - [0.1, -0.1]
    np.testing.assert_allclose(run(optimizer, [[7, -2]])[0], expected, rtol=1e-6)


def test_lion_moves_every_element_by_the_rate():
    optimizer = create_optimizer("lion", [weight([1, 1, 1])], [0.25, 0.5], beta1=0.5, beta2=0.5)
    # The momentum (2, -0.005, 0) outvotes the second gradient where that one is smaller.
    moves = run(optimizer, [[4, -0.01, 0], [-1, 1, 0]])
    assert moves.tolist() == [[0.75, 1.25, 1.0], [0.25, 0.75, 1.0]]


@pytest.mark.parametrize("name", ["adamw", "adamweightdecay", "lamb", "lion", "momentum"])
def test_a_layer_decay_scales_what_a_parameter_moves(name):
    names = ["conv1.weight", "layer1.0.conv1.weight", "fc.weight"]
    moved = []
    for layer_decay in (1.0, 0.5):
        parameters = [weight([1], name) for name in names]
        options = {"weight_decay": 0.05, "layer_decay": layer_decay, "blocks": r"layer\d+\.\d+"}
        optimizer = create_optimizer(name, parameters, [0.01], **options)
        optimizer(tuple(Tensor(np.float32([0.3])) for _ in names))
        moved.append(np.array([1 - float(parameter.asnumpy()[0]) for parameter in parameters]))
    np.testing.assert_allclose(moved[1], moved[0] * [0.25, 0.5, 1.0], rtol=1e-4)


@pytest.mark.parametrize("name", ["adamw", "adamweightdecay", "lamb", "lion", "momentum"])
def test_float16_gradients(name, mode):
    optimizer = create_optimizer(name, [weight([1, 2])], [0.01] * 3, weight_decay=0.05)
    optimizer((Tensor(np.float16([0.5, 0.25])),))
    expected = run(create_optimizer(name, [weight([1, 2])], [0.01] * 3, weight_decay=0.05), [[0.5, 0.25]])
    assert optimizer.parameters[0].asnumpy().tolist() == expected[0].tolist()


def test_names_that_the_filter_exempts_do_not_decay():
    names = ["conv.weight", "norm.gamma", "norm.beta", "head.bias"]
    parameters = [weight([1], name) for name in names]
    optimizer = create_optimizer("adamw", parameters, [0.1], weight_decay=0.5, no_weight_decay_filter="beta,bias")
    optimizer(tuple(Tensor(np.float32([0])) for _ in names))
    after = {parameter.name: round(float(parameter.asnumpy()[0]), 4) for parameter in optimizer.parameters}
    assert after == {"conv.weight": 0.95, "norm.gamma": 0.95, "norm.beta": 1.0, "head.bias": 1.0}


@pytest.mark.parametrize("name", ["adamw", "lamb", "lion", "momentum"])
def test_equal_elements_stay_equal(name):
    """Rounding may not depend on an element's place in the tensor, or threads would decide the result."""
    rng = np.random.default_rng(0)
    optimizer = create_optimizer(name, [weight(np.full(1003, 0.7))], [0.0123], weight_decay=0.05)
    after = run(optimizer, [np.full(1003, value) for value in rng.normal(size=30)])
    assert [len(np.unique(row)) for row in after] == [1] * 30


def test_unknown_name_lists_the_nearest_first():
    with pytest.raises(ValueError, match="unknown optimizer 'adamwd': choose one of adamw, adamweightdecay"):
        create_optimizer("adamwd", [weight([1])], [0.1])
