"""Predict with an exported ONNX file and the JSON file beside it: python examples/predict_onnx.py FILE.onnx PICTURE ...

Copy it: it needs onnxruntime, Pillow and NumPy, and nothing of this project.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def neighbours(old, new, interpolation):
    """The old pixels (new, taps) of each new one along a side, and their weights in OpenCV's units of 1/2048."""
    centres = ((np.arange(new) + 0.5) * (old / new) - 0.5).astype(np.float32)
    first = np.floor(centres).astype(int)
    x = centres - first.astype(np.float32)
    if interpolation == "bilinear":
        offsets, weights = (0, 1), [1 - x, x]
    else:
        a, y = np.float32(-0.75), 1 - x
        far = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
        near = [((a + 2) * distance - (a + 3)) * distance * distance + 1 for distance in (x, y)]
        offsets, weights = (-1, 0, 1, 2), [far, *near, 1 - far - near[0] - near[1]]
    taps = first[:, None] + np.array(offsets)
    return taps.clip(0, old - 1), np.rint(np.stack(weights, 1) * 2048).astype(int)


def resized(pixels, width, height, interpolation):
    """OpenCV's resize of 8-bit pixels (H, W, 3), with its roundings: interpolation between neighbours at any scale."""
    taps, weights = neighbours(pixels.shape[1], width, interpolation)
    rows = sum(weights[:, tap, None] * pixels[:, taps[:, tap]] for tap in range(taps.shape[1]))
    taps, weights = neighbours(pixels.shape[0], height, interpolation)
    if interpolation == "bilinear":
        upper, lower = ((weights[:, tap, None, None] * (rows[taps[:, tap]] >> 4)) >> 16 for tap in (0, 1))
        return (upper + lower + 2) >> 2
    scaled = (weights / 2048**2).astype(np.float32)
    parts = [scaled[:, tap, None, None] * rows[taps[:, tap]].astype(np.float32) for tap in range(4)]
    return np.rint(parts[0] + (parts[1] + (parts[2] + parts[3]))).clip(0, 255)


def network_input(path, spec):
    """A picture as the network sees it, (1, 3, S, S) float32, as the `preprocessing` of the JSON file says."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    width, height = (spec["resize"] * side // min(image.size) for side in image.size)
    if spec["library"] == "Pillow":
        pixels = np.asarray(image.resize((width, height), Image.Resampling[spec["interpolation"].upper()]))
    else:
        pixels = resized(np.asarray(image, int), width, height, spec["interpolation"])
    size, offset = spec["image_size"], round if spec["library"] == "Pillow" else int
    top, left = (offset((side - size) / 2) for side in pixels.shape[:2])
    pixels = pixels[top : top + size, left : left + size] * spec["scale"]
    return ((pixels - spec["mean"]) / spec["std"]).transpose(2, 0, 1)[None].astype(np.float32)


def main(file, *pictures):
    """Print the best class of each picture."""
    with open(file + ".json", encoding="utf-8") as text:
        card = json.load(text)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for path in pictures:
        (logits,) = session.run(None, {session.get_inputs()[0].name: network_input(path, card["preprocessing"])})
        print(path, card["class_names"][logits[0].argmax()], sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
