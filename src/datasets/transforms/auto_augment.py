"""The policies that the key `autoaugment` names."""

from __future__ import annotations

from mindspore.dataset import vision
from mindspore.dataset.vision import Inter

from src.datasets.transforms.rand_augment import RandAugment

FORMS = "none, autoaugment, trivialaugment, or RandAugment as rand-m9-mstd0.5-inc1 (also n2: operations, p0.5)"


def policy_operators(policy: str, fill: tuple[int, int, int]) -> list:
    """uint8 (H, W, 3) -> the same: the operators of a policy.

    Args:
        policy: `none`; `autoaugment`, the policy found on ImageNet (Cubuk et al., arXiv 1805.09501, table 9);
            `trivialaugment` (Mueller and Hutter, arXiv 2103.10158, the wide space); or a RandAugment notation.
        fill: colour (RGB, 0-255) of what comes in from outside the image.

    Raises:
        ValueError: another policy or a malformed notation; the message lists the forms.
    """
    if policy in ("none", ""):
        return []
    if policy == "autoaugment":
        return [vision.AutoAugment(interpolation=Inter.BILINEAR, fill_value=fill)]
    if policy == "trivialaugment":
        return [vision.TrivialAugmentWide(interpolation=Inter.BILINEAR, fill_value=fill)]
    if not policy.startswith("rand"):
        raise ValueError(f"unknown policy '{policy}': give {FORMS}")
    try:
        return RandAugment.parse(policy).operators(fill)
    except ValueError as error:
        raise ValueError(f"{error}: give {FORMS}") from None
