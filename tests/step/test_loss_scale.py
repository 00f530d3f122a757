"""How the loss scale moves."""

from mindspore import Tensor

from src.step.loss_scale import GROW_AFTER, LossScale


def after(scale, finite):
    return float(scale(Tensor(finite)).asnumpy())


def test_overflow_halves_and_starts_counting_again():
    scale = LossScale(8.0, dynamic=True)
    assert [after(scale, finite) for finite in (True, False, True, False)] == [8.0, 4.0, 4.0, 2.0]
    assert scale.good_steps.asnumpy() == 0


def test_2000_good_steps_double():
    assert GROW_AFTER == 2000
    scale = LossScale(8.0, dynamic=True)
    scale.good_steps.set_data(Tensor(GROW_AFTER - 2, scale.good_steps.dtype))
    assert [after(scale, True) for _ in range(3)] == [8.0, 16.0, 16.0]
    assert scale.good_steps.asnumpy() == 1


def test_it_never_falls_below_one():
    scale = LossScale(2.0, dynamic=True)
    assert [after(scale, False) for _ in range(3)] == [1.0, 1.0, 1.0]


def test_a_static_scale_stays():
    scale = LossScale(8.0, dynamic=False)
    assert [after(scale, finite) for finite in (True, False)] == [8.0, 8.0]
