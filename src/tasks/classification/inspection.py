"""Report of `--check_dataset` on image folders: classes, sizes, formats, odd and broken files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from src.config import UserError
from src.config.errors import few_names
from src.datasets.inspection import ImageFacts, inspect_images, num_oddities
from src.datasets.reading import too_many_bad
from src.datasets.sources.labelled import LabelledSet
from src.runtime.device import clamp_workers
from src.runtime.terminal import progress_shown, say

if TYPE_CHECKING:
    from src.tasks.classification.task import ClassificationTask

MAX_CLASS_ROWS = 40
MAX_NAMED = 20  # classes
MAX_EXAMPLES = 3  # files of an oddity


def check_images(task: ClassificationTask) -> list[str]:
    """Report on the images; returns all for which a training could not run."""
    problems, config = [], task.config
    training = _attempt(lambda: task.training_folder, problems)
    if training:
        facts = _report(task, training, "training")
        faults = {fact.path: fact.fault for fact in facts if fact.fault}
        limit = config.data.max_bad_images
        if len(faults) > limit * len(training):
            problems.append(too_many_bad(faults, len(training), limit))
        _attempt(lambda: task.steps_per_epoch(num_ranks=1), problems)
        validation = _attempt(lambda: task.validation_folder, problems) if config.eval.eval_interval else None
        if validation:
            _report(task, validation, "validation")
    return problems


def _attempt(look: Callable, problems: list[str]):
    try:
        return look()
    except UserError as error:
        problems.append(str(error))
        return None


def _report(task: ClassificationTask, images: LabelledSet, what: str) -> list[ImageFacts]:
    bar = partial(tqdm, total=len(images), desc=f"checking {what} images", unit="image", disable=not progress_shown())
    threads = clamp_workers(task.config.data.train_num_workers)
    facts = inspect_images(images.files, threads, partial(bar, leave=False))
    say(f"{what} images: {len(images)} in {len(images.class_names)} classes at {images.root}")
    for line in (*class_lines(images), *images.left_out, *file_lines(facts)):
        say(f"  {line}")
    return facts


def class_lines(images: LabelledSet) -> Iterator[str]:
    """Images per class, as a summary and, when they are few, as a table; classes without any."""
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    smallest, largest = (images.class_names[index] for index in (counts.argmin(), counts.argmax()))
    yield (
        f"images per class: smallest {counts.min()} ({smallest}), median {np.median(counts):g}, "
        f"largest {counts.max()} ({largest})"
    )
    if len(counts) <= MAX_CLASS_ROWS:
        width = max(map(len, images.class_names))
        yield from (f"  {name:<{width}}  {count}" for name, count in zip(images.class_names, counts, strict=True))
    missing = [name for name, count in zip(images.class_names, counts, strict=True) if count == 0]
    if missing:
        yield f"classes without images: {few_names(missing, MAX_NAMED)}"


def file_lines(facts: list[ImageFacts]) -> Iterator[str]:
    """Sizes, formats, what is odd and what cannot be read."""
    known = [fact for fact in facts if fact.kind]
    if known:
        width, height = np.transpose([fact.size for fact in known])
        for name, pixels in (("width", width), ("height", height)):
            low, median, high = np.percentile(pixels, (0, 50, 100))
            yield f"{name}: smallest {low:g}, median {median:g}, largest {high:g} pixels"
        yield "formats: " + _counted(Counter(fact.kind for fact in known))
    for oddity, number in sorted(num_oddities(facts).items()):
        named = [f"{fact.path.parent.name}/{fact.path.name}" for fact in facts if oddity in fact.oddities]
        yield f"odd, but used: {number} {oddity}: {few_names(named, MAX_EXAMPLES)}"
    broken = [fact for fact in facts if fact.fault]
    yield f"cannot be read: {len(broken)} of {len(facts)} ({len(broken) / len(facts):.2%})"
    yield from (f"  {fact.path}: {fact.fault}" for fact in broken)


def caption(label: np.ndarray, class_names: Sequence[str]) -> str:
    """A label, or a mixture's two largest shares, in words."""
    if label.ndim == 0:
        return class_names[int(label)]
    best = [index for index in np.argsort(-label, kind="stable")[:2] if label[index] >= 0.05]
    return " + ".join(f"{label[index]:.0%} {class_names[index]}" for index in best)


def _counted(counts: Counter) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())
