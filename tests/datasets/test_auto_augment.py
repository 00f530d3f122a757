"""The policies that the key `autoaugment` names."""

import mindspore.dataset as ds
import numpy as np
import pytest

from src.datasets.transforms.image import policy_operators

POLICIES = ("autoaugment", "trivialaugment", "rand-m9-mstd0.5-inc1")
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)


def _augmented(policy, seed):
    data = ds.NumpySlicesDataset({"image": IMAGES}, shuffle=False)
    data = data.map(policy_operators(policy, (9, 9, 9)), "image", num_parallel_workers=2)
    ds.config.set_seed(seed)
    return np.stack([image for (image,) in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])


@pytest.mark.parametrize("policy", ["none", ""])
def test_no_policy(policy):
    assert policy_operators(policy, (0, 0, 0)) == []


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_changes_images_by_its_seed_alone(policy):
    first = _augmented(policy, seed=1)
    assert (first.shape, first.dtype) == (IMAGES.shape, np.uint8)
    changed = (first != IMAGES).any(axis=(1, 2, 3)).mean()
    assert changed > 0.5
    assert (_augmented(policy, seed=1) == first).all()
    assert (_augmented(policy, seed=2) != first).any()


@pytest.mark.parametrize("policy", POLICIES)
def test_what_comes_from_outside_has_the_colour_asked_for(policy):
    pixels = _augmented(policy, seed=1)
    assert ((pixels == 9).all(axis=3).sum(axis=(1, 2)) > 10).any()


@pytest.mark.parametrize("policy", ["randaugment", "rand-m9-q1", "augmix", "rand-m99", "1"])
def test_another_policy_is_refused_with_the_forms(policy):
    forms = "give none, autoaugment, trivialaugment, or RandAugment as rand-m9-mstd0.5-inc1"
    with pytest.raises(ValueError, match=f"'{policy}'.*: {forms}"):
        policy_operators(policy, (0, 0, 0))
