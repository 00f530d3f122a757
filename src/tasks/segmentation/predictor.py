"""A segmentation network on images of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mindspore as ms
import numpy as np

from src.config import Config
from src.inference.sliding_window import predict_scales, predict_windows


@dataclass(frozen=True, kw_only=True)
class ScenePredictor:
    """Looks at an image as the evaluation keys say.

    Attributes:
        forward: (N, 3, h, w) -> logits (N, K, h, w), in inference mode.
        window: side of the windows, pixels; 0: the image is seen at once, which compiles a graph for each size.
        num_tiles: windows a call.
        scales, flip: copies of the image whose logits are averaged.
    """

    forward: Callable
    window: int
    num_tiles: int
    scales: tuple[float, ...]
    flip: bool

    @classmethod
    def from_config(cls, config: Config, forward: Callable, image_size: int) -> ScenePredictor:
        """As eval_mode, eval_scales, eval_flip and eval_batch_size say."""
        evaluation = config.eval
        return cls(
            forward=forward,
            window=image_size if evaluation.eval_mode == "window" else 0,
            num_tiles=evaluation.eval_batch_size or 1,
            scales=tuple(evaluation.eval_scales),
            flip=evaluation.eval_flip,
        )

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """(3, H, W) float32, normalised -> the classes (H, W) uint8."""
        logits = predict_scales(self._predict_scale, image, self.scales, self.flip)
        return logits.argmax(0).astype(np.uint8)

    def _predict_scale(self, image: np.ndarray) -> np.ndarray:
        if self.window:
            return predict_windows(self._logits, image, self.window, batch_size=self.num_tiles)
        return self._logits(image[None])[0]

    def _logits(self, images: np.ndarray) -> np.ndarray:
        return self.forward(ms.Tensor(images)).astype(ms.float32).asnumpy()
