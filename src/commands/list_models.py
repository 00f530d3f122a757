"""Networks of the zoo: their names, and the table of `train.py --list_models 1`."""

from __future__ import annotations

from src.config import Resolved
from src.config.effect import no_effect_on_task


def network_names() -> list[str]:
    """Sorted names of all networks, for suggestions when a name is misspelt.

    MindSpore loads with this call, so a correct command line does not wait for it.
    """
    from src.models import list_models

    return list_models()


def silent_settings(resolved: Resolved) -> list[str]:
    """A line for each setting that the task of the network does not read; none for an unknown network."""
    from src.models import model_info

    try:
        return no_effect_on_task(resolved.changed, model_info(resolved.config.model.backbone).task)
    except ValueError:
        return []


def describe_networks() -> str:
    """Table of all networks with their published results, percent: top-1 accuracy, or mIoU for segmentation."""
    from src.models import list_models, model_info

    rows = [f"{'network':<22} {'size':>4} {'params M':>8} {'FLOPs G':>7} {'result':>6} source    paper"]
    for name in list_models():
        info = model_info(name)
        result = info.top1 if info.miou is None else info.miou
        values = ((info.params_m, ".2f"), (info.flops_g, "g"), (result, "g"))
        numbers = ["-" if value is None else format(value, form) for value, form in values]
        rows.append(
            f"{name:<22} {info.image_size:>4} {numbers[0]:>8} {numbers[1]:>7} {numbers[2]:>6} "
            f"{info.source or '-':<9} {info.paper}"
        )
    return "\n".join(rows)
