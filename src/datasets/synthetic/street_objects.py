"""Objects of a drawn street: vehicles, people, poles and trees, painted from back to front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, exp, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from src.datasets.synthetic.street import LABEL, Camera, Light, Street

PAINTS = ((196, 198, 200), (40, 42, 46), (150, 30, 32), (36, 62, 120), (228, 228, 224), (92, 98, 104), (60, 92, 70))
CLOTHES = ((38, 44, 66), (148, 44, 46), (70, 84, 70), (196, 188, 176), (40, 40, 40), (66, 96, 140), (176, 142, 60))
SKIN = ((222, 180, 150), (160, 116, 88), (104, 74, 56))
CIRCLE = [(cos(angle * pi / 10), sin(angle * pi / 10)) for angle in range(21)]

Point = tuple[float, float, float]  # x, y, z in metres


class Painter:
    """Canvas that draws each shape into the picture and, with the same pixels, into the labels."""

    def __init__(self, camera: Camera, light: Light, pixels: np.ndarray, labels: np.ndarray):
        self.camera, self.light = camera, light
        self._picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        self._labels = Image.fromarray(labels)
        self._sun, self._haze = light.sun.tolist(), light.haze.tolist()
        self._pens = (ImageDraw.Draw(self._picture), ImageDraw.Draw(self._labels))

    def polygon(self, points: Sequence[Point], colour: Sequence[float], label: str | None) -> None:
        """Fill the polygon with these corners; without a label only the picture changes (a shadow)."""
        corners = [self.camera.project(*point) for point in points]
        self._draw("polygon", corners, colour, label, sum(point[2] for point in points) / len(points))

    def disc(self, centre: Point, radius: float, colour: Sequence[float], label: str) -> None:
        """Fill the disc of `radius` metres that faces the camera."""
        u, v = self.camera.project(*centre)
        size = self.camera.focal * radius / centre[2]
        self._draw("ellipse", [u - size, v - size, u + size, v + size], colour, label, centre[2])

    def line(self, start: Point, end: Point, width: float, colour: Sequence[float], label: str) -> None:
        """Draw a bar of `width` metres, at least one pixel wide."""
        z = (start[2] + end[2]) / 2
        ends = [self.camera.project(*start), self.camera.project(*end)]
        self._draw("line", ends, colour, label, z, width=max(1, round(self.camera.focal * width / z)))

    def cover(self, points: Sequence[Point], label: str) -> None:
        """Label a polygon without painting it: holes of an object count as the object."""
        self._pens[1].polygon([self.camera.project(*point) for point in points], fill=LABEL[label])

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (H, W, 3) uint8 and label ids (H, W) uint8."""
        return np.array(self._picture), np.array(self._labels)

    def _draw(self, shape: str, where: list, colour: Sequence[float], label: str | None, z: float, **options) -> None:
        seen = self._through_air(colour, z)
        getattr(self._pens[0], shape)(where, fill=seen, **options)
        if label is not None:
            getattr(self._pens[1], shape)(where, fill=LABEL[label], **options)

    def _through_air(self, colour: Sequence[float], z: float) -> tuple[int, ...]:
        """`Light.colour` of a single colour without arrays, since it is called thousands of times per scene."""
        clear = exp(-z / self.light.fog)
        values = zip(colour, self._sun, self._haze, strict=True)
        return tuple(min(max(int(value * sun * clear + haze * (1 - clear)), 0), 255) for value, sun, haze in values)


def paint_objects(rng: np.random.Generator, painter: Painter, street: Street) -> None:
    """Place the objects of the street and paint them from back to front."""
    objects = [*_along_the_road(rng, street), *_on_the_pavements(rng, street)]
    for _, paint in sorted(objects, key=lambda item: -item[0]):
        paint(painter)


Placed = tuple[float, Callable[[Painter], None]]  # distance in metres, painting function


def _along_the_road(rng: np.random.Generator, street: Street) -> list[Placed]:
    placed: list[Placed] = []
    for side in (-1, 1):
        z = rng.uniform(5, 16)
        while street.road > 4.2 and z < 60:  # parked
            if rng.random() < 0.62:
                placed.append(_vehicle(rng, side * (street.road - 1.0), z, "car", side < 0))
            z += rng.uniform(5.2, 10)
        z = rng.uniform(9, 26)
        lane = side * min(street.road * 0.5, street.road - 3.2 if street.road > 4.2 else 1.7)
        while z < 80:
            kind = str(rng.choice(["car", "truck", "bus"], p=(0.6, 0.2, 0.2)))
            if rng.random() < 0.55:
                placed.append(_vehicle(rng, lane + rng.normal(0, 0.15), z, kind, side < 0))
            elif rng.random() < 0.7:
                placed.append(_cyclist(rng, side * (street.road - 2.4), z))
            z += rng.uniform(14, 30)
    return placed


def _on_the_pavements(rng: np.random.Generator, street: Street) -> list[Placed]:
    placed: list[Placed] = []
    trees, spacing = rng.random(2) < 0.5, rng.uniform(8, 16)
    for side, has_trees in zip((-1, 1), trees, strict=True):
        z = rng.uniform(6, 14)
        while z < 90:
            x = side * (street.road + 0.5)
            if has_trees:
                placed.append(_tree(rng, side * (street.pavement - 0.3), z + rng.uniform(2, 5)))
            if rng.random() < 0.75:
                placed.append(_pole(rng, x, z, side))
            z += spacing * rng.uniform(0.8, 1.2)
        for _ in range(rng.poisson(3.5)):
            x = side * rng.uniform(street.road + 0.4, street.pavement - 0.3)
            placed.append(_person(rng, x, 5 + rng.gamma(2.0, 9.0)))
    if rng.random() < 0.25:
        placed.append(_person(rng, rng.uniform(-street.road, street.road), rng.uniform(12, 30)))
    return placed


# -- vehicles: a profile along the street, swept over the vehicle's width

PROFILES = {  # (z from the near end, y) of the body; the near and the far end of the cabin's windows; length, width
    "car": (((0, 0.32), (0, 0.92), (0.25, 1.0), (0.75, 1.42), (2.5, 1.46), (3.3, 0.98), (4.2, 0.82), (4.2, 0.32)),
            ((0.55, 1.02), (0.9, 1.36), (2.4, 1.38), (2.95, 1.02)), 4.2, 1.8),
    "truck": (((0, 0.5), (0, 3.3), (5.2, 3.3), (5.2, 2.7), (6.6, 2.6), (7.0, 1.6), (7.0, 0.5)),
              ((5.5, 1.7), (5.5, 2.4), (6.5, 2.4), (6.8, 1.7)), 7.0, 2.4),
    "bus": (((0, 0.4), (0, 2.9), (0.2, 3.05), (11.8, 3.05), (12.0, 2.9), (12.0, 0.4)),
            ((0.4, 1.4), (0.4, 2.5), (11.6, 2.5), (11.6, 1.4)), 12.0, 2.5),
}  # fmt: skip


def _vehicle(rng: np.random.Generator, x: float, z: float, kind: str, oncoming: bool) -> Placed:
    paint = np.array(PAINTS[rng.integers(len(PAINTS))]) * rng.uniform(0.85, 1.1)
    size = rng.uniform(0.92, 1.08)

    def draw(painter: Painter) -> None:
        profile, windows, length, width = PROFILES[kind]
        half = width * size / 2
        flank = x - half if x > 0 else x + half  # the side facing the camera
        _shadow(painter, x, z, half, length * size)

        def on_flank(points: Sequence[tuple[float, float]], out: float = 0.0) -> list[Point]:
            return [(flank - np.sign(x) * out, py * size, z + pz * size) for pz, py in points]

        painter.polygon(on_flank(profile), paint * 0.78, kind)
        painter.polygon(on_flank(windows), (52, 58, 66), kind)
        for wheel in (0.19, 0.80):
            for radius, colour in ((0.34, (26, 26, 28)), (0.19, (120, 122, 126))):
                radius *= 1.4 if kind != "car" else 1.0
                circle = [(wheel * length + radius * c, 0.34 + radius * s) for c, s in CIRCLE]
                painter.polygon(on_flank(circle, 0.01), colour, kind)
        _near_end(painter, x, z, half, size, kind, paint, oncoming)

    return z, draw


def _near_end(
    painter: Painter, x: float, z: float, half: float, size: float, kind: str, paint: np.ndarray, oncoming: bool
) -> None:
    """The front or rear of a vehicle, facing the camera: body, window, lights, wheels."""

    def face(left: float, bottom: float, right: float, top: float, inset: float = 0.0) -> list[Point]:
        corners = ((left, bottom), (left + inset, top), (right - inset, top), (right, bottom))
        return [(x + px * half, py * size, z) for px, py in corners]

    for side in (-0.95, 0.55):
        painter.polygon(face(side, 0.0, side + 0.4, 0.45), (24, 24, 26), kind)
    if kind == "car":
        painter.polygon(face(-0.94, 0.9, 0.94, 1.44, inset=0.2), paint, kind)
        painter.polygon(face(-0.82, 0.95, 0.82, 1.36, inset=0.17), (58, 66, 76), kind)
        painter.polygon(face(-1, 0.28, 1, 0.95), paint, kind)
    else:
        top = 3.3 if kind == "truck" else 3.0
        painter.polygon(face(-1, 0.45, 1, top), paint, kind)
        if kind == "bus" or oncoming:  # a truck's box has no window
            painter.polygon(face(-0.85, 1.5 if kind == "bus" else 1.9, 0.85, top - 0.35), paint * 0.55 + 15, kind)
    lamps = (250, 246, 225) if oncoming else (176, 24, 28)
    for side in (-0.95, 0.7):
        painter.polygon(face(side, 0.66, side + 0.25, 0.84), lamps, kind)
    painter.polygon(face(-0.3, 0.42, 0.3, 0.55), (225, 225, 218), kind)
    painter.polygon(face(-1, 0.28, 1, 0.38), (48, 50, 54), kind)


def _shadow(painter: Painter, x: float, z: float, half: float, length: float) -> None:
    spread = half * 1.12
    corners = [
        (x - spread, 0, z - 0.15),
        (x + spread, 0, z - 0.15),
        (x + spread, 0, z + length),
        (x - spread, 0, z + length),
    ]
    painter.polygon(corners, (46, 47, 50), None)


# -- people


def _person(rng: np.random.Generator, x: float, z: float) -> Placed:
    height = rng.uniform(1.55, 1.9)
    coat, trousers = (np.array(CLOTHES[i]) for i in rng.integers(len(CLOTHES), size=2))
    skin, stride = SKIN[rng.integers(len(SKIN))], rng.uniform(0.05, 0.3)

    def draw(painter: Painter) -> None:
        def part(points: Sequence[tuple[float, float]], colour: Sequence[float]) -> None:
            painter.polygon([(x + px, py * height, z) for px, py in points], colour, "person")

        for foot in (-stride, stride):
            part([(foot - 0.07, 0), (foot + 0.08, 0), (0.12, 0.5), (-0.12, 0.5)], trousers * (0.9 if foot < 0 else 1))
        part([(-0.25, 0.48), (-0.32, 0.5), (-0.24, 0.82), (0.24, 0.82), (0.32, 0.5), (0.25, 0.48)], coat * 0.85)
        part([(-0.18, 0.46), (-0.22, 0.82), (-0.08, 0.87), (0.08, 0.87), (0.22, 0.82), (0.18, 0.46)], coat)
        painter.disc((x, 0.935 * height, z), 0.065 * height, skin, "person")
        part([(-0.1, 0.95), (-0.07, 1.0), (0.07, 1.0), (0.1, 0.95)], (54, 42, 34))

    return z, draw


# of a bicycle, from the middle: (along, up) of both ends of each tube, metres
FRAME = (
    ((-0.52, 0.34), (0.0, 0.36)),
    ((-0.52, 0.34), (-0.15, 0.85)),
    ((0.0, 0.36), (-0.15, 0.9)),
    ((0.0, 0.36), (0.4, 0.85)),
    ((-0.15, 0.85), (0.4, 0.85)),
    ((0.52, 0.34), (0.4, 0.95)),
)
# around the frame: the area visible through it is labelled as bicycle, like that of the wheels
FRAME_CORNERS = ((-0.52, 0.34), (-0.15, 0.85), (0.4, 0.85), (0.52, 0.34))


def _cyclist(rng: np.random.Generator, x: float, z: float) -> Placed:
    """A bicycle that crosses or turns, seen from the side, and its rider."""
    coat = np.array(CLOTHES[rng.integers(len(CLOTHES))])
    skin, way = SKIN[rng.integers(len(SKIN))], rng.choice((-1, 1))
    frame = np.array(PAINTS[rng.integers(len(PAINTS))])

    def draw(painter: Painter) -> None:
        def at(px: float, py: float) -> Point:
            return x + way * px, py, z

        for hub in (-0.52, 0.52):
            rim = [at(hub + 0.34 * c, 0.34 + 0.34 * s) for c, s in CIRCLE]
            painter.cover(rim, "bicycle")
            for start, end in zip(rim, rim[1:], strict=False):
                painter.line(start, end, 0.05, (30, 30, 32), "bicycle")
        painter.cover([at(*corner) for corner in FRAME_CORNERS], "bicycle")
        for start, end in FRAME:
            painter.line(at(*start), at(*end), 0.05, frame, "bicycle")
        painter.line(at(-0.15, 0.95), at(0.15, 0.66), 0.16, coat * 0.7, "rider")
        painter.line(at(0.15, 0.66), at(0.02, 0.3), 0.12, coat * 0.7, "rider")
        painter.polygon([at(-0.3, 0.92), at(0.0, 0.92), at(0.32, 1.4), at(0.08, 1.5)], coat, "rider")
        painter.line(at(0.2, 1.38), at(0.42, 1.0), 0.09, coat, "rider")
        painter.disc(at(0.26, 1.6), 0.12, skin, "rider")

    return z, draw


# -- things


def _pole(rng: np.random.Generator, x: float, z: float, side: int) -> Placed:
    kind = str(rng.choice(["lamp", "sign", "light"], p=(0.4, 0.35, 0.25)))
    gray = np.full(3, rng.uniform(80, 130))
    height = rng.uniform(6, 8) if kind == "lamp" else rng.uniform(2.6, 3.4)
    thickness = rng.uniform(0.14, 0.22)
    plate, is_round = (
        ((36, 70, 160), (196, 36, 40), (230, 230, 224), (232, 190, 30))[rng.integers(4)],
        rng.random() < 0.5,
    )

    def draw(painter: Painter) -> None:
        painter.line((x, 0, z), (x, height, z), thickness, gray, "pole")
        if kind == "lamp":
            painter.line((x, height, z), (x - side * 1.6, height + 0.1, z), 0.1, gray, "pole")
            painter.line((x - side * 1.1, height, z), (x - side * 1.7, height, z), 0.18, gray * 1.5, "pole")
        elif kind == "light":
            box = [
                (x - 0.17, height - 0.9, z),
                (x + 0.17, height - 0.9, z),
                (x + 0.17, height, z),
                (x - 0.17, height, z),
            ]
            painter.polygon(box, (34, 36, 36), "traffic light")
            lamp = int(height * 100) % 3
            for index, colour in enumerate(((230, 40, 36), (240, 180, 40), (60, 210, 110))):
                shown = np.array(colour) * (1.0 if index == lamp else 0.25)
                painter.disc((x, height - 0.17 - 0.28 * index, z), 0.11, shown, "traffic light")
        elif is_round:
            painter.disc((x, height, z), 0.36, plate, "traffic sign")
            painter.disc((x, height, z), 0.22, np.array((238, 236, 232)), "traffic sign")
        else:
            corners = [(x - 0.36, height - 0.35, z), (x + 0.36, height - 0.35, z), (x + 0.36, height + 0.35, z),
                       (x - 0.36, height + 0.35, z)]  # fmt: skip
            painter.polygon(corners, plate, "traffic sign")

    return z, draw


def _tree(rng: np.random.Generator, x: float, z: float) -> Placed:
    height, spread = rng.uniform(5, 9), rng.uniform(1.5, 2.6)
    green = np.array((70, 104, 46)) * rng.uniform(0.75, 1.15) + (rng.uniform(0, 26), 0, 0)
    num_leaves = int(np.clip(3000 / z, 60, 260))  # fewer are enough for a distant crown
    where = np.clip(rng.normal(0, 0.45, (num_leaves, 2)), -1, 1) * (spread, height * 0.26)
    sizes, tones = rng.uniform(0.16, 0.5, num_leaves), rng.uniform(0.6, 1.25, num_leaves)

    def draw(painter: Painter) -> None:
        painter.line((x, 0, z), (x, height * 0.6, z), 0.28, (84, 70, 56), "vegetation")
        for (dx, dy), size, tone in zip(where, sizes, tones, strict=True):
            lit = tone * (1 + 0.25 * np.tanh(dy))  # the top of a crown is in the sun
            painter.disc((x + dx, height * 0.68 + dy, z), size, green * lit, "vegetation")

    return z, draw
