"""Predict with an exported ONNX file and the JSON file beside it: python examples/predict_onnx.py FILE.onnx PICTURE ...

Copy it: it needs onnxruntime, Pillow and NumPy, and nothing of this project.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def kernel(x, interpolation, a=-0.75):
    """OpenCV's weight of a pixel at the distance x."""
    x = abs(x)
    if interpolation == "bilinear":
        return np.maximum(1 - x, 0)
    return np.where(x < 1, ((a + 2) * x - (a + 3)) * x * x + 1, a * (((x - 5) * x + 8) * x - 4))


def resized(pixels, new, interpolation):
    """OpenCV's resize along the first axis: interpolation between neighbours, whatever the scale."""
    old, radius = len(pixels), 2 if interpolation == "bicubic" else 1
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    taps = np.floor(centres).astype(int)[:, None] + np.arange(1 - radius, radius + 1)
    weights = kernel(centres[:, None] - taps, interpolation)
    return np.einsum("nt,nt...->n...", weights, pixels[taps.clip(0, old - 1)])


def network_input(path, spec):
    """A picture as the network sees it, (1, 3, S, S) float32, as the `preprocessing` of the JSON file says."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    width, height = (spec["resize"] * side // min(image.size) for side in image.size)
    if spec["library"] == "Pillow":
        pixels = np.asarray(image.resize((width, height), Image.Resampling[spec["interpolation"].upper()]))
    else:
        rows = resized(np.asarray(image, float), height, spec["interpolation"])
        pixels = resized(rows.swapaxes(0, 1), width, spec["interpolation"]).swapaxes(0, 1).round().clip(0, 255)
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
