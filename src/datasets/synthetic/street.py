"""Drawn street as seen by a camera: sky, facades and ground, each pixel computed from its ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from src.datasets.sources.cityscapes_classes import CITYSCAPES

LABEL = dict(zip(CITYSCAPES.names, CITYSCAPES.label_ids, strict=True))
FAR = 110.0  # metres: nothing is drawn farther away
STOREY, BAY = 3.2, 2.8  # metres: height of a storey, width of a window's share of a facade


@dataclass(frozen=True)
class Camera:
    """A camera that looks along a straight street (z), x to the right and y up from the ground, in metres."""

    width: int
    height: int
    focal: float  # pixels
    horizon: float  # row
    centre: float  # column of the vanishing point
    eye: float  # metres above the ground

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Column and row of a point in front of the camera."""
        return self.centre + self.focal * x / z, self.horizon + self.focal * (self.eye - y) / z


@dataclass(frozen=True)
class Light:
    """Light of a scene: colours in 0-255, `fog` the distance in metres at which two thirds of a colour are haze."""

    sky_top: np.ndarray
    haze: np.ndarray
    sun: np.ndarray  # factor of lit surfaces' colours
    shade: tuple[float, float]  # brightness of the left and the right facades
    clouds: float  # 0-1
    fog: float

    def colour(self, colour: np.ndarray | tuple, z: np.ndarray | float) -> np.ndarray:
        """A surface's colour, (..., 3), seen through the air from `z` metres, (...) or one number."""
        clear = np.exp(-np.asarray(z, float) / self.fog)[..., None]
        return np.asarray(colour) * self.sun * clear + self.haze * (1 - clear)


@dataclass(frozen=True)
class Street:
    """Half widths in metres from the middle of the road: the road's, and where pavement and verge end."""

    road: float
    pavement: float
    facade: float


def draw_camera(rng: np.random.Generator, width: int, height: int) -> Camera:
    """A camera at about a car's windscreen."""
    return Camera(
        width=width,
        height=height,
        focal=width * rng.uniform(0.85, 1.1),
        horizon=height * rng.uniform(0.38, 0.48),
        centre=width * rng.uniform(0.36, 0.64),
        eye=rng.uniform(1.35, 1.7),
    )


def draw_light(rng: np.random.Generator) -> Light:
    """Sunny, overcast or late in the day."""
    kind = rng.choice(3, p=(0.45, 0.35, 0.2))
    top, haze, sun = (
        ((92, 142, 205), (202, 216, 228), (1.08, 1.05, 0.98)),
        ((172, 178, 186), (206, 208, 210), (0.82, 0.84, 0.87)),
        ((120, 128, 168), (236, 196, 158), (0.95, 0.82, 0.70)),
    )[kind]
    shade = (rng.uniform(0.95, 1.1), rng.uniform(0.6, 0.8)) if kind != 1 else (0.9, 0.86)
    return Light(
        sky_top=np.array(top) + rng.normal(0, 8, 3),
        haze=np.array(haze) + rng.normal(0, 6, 3),
        sun=np.array(sun) * rng.uniform(0.88, 1.08),
        shade=shade if rng.random() < 0.5 else shade[::-1],
        clouds=rng.uniform(0.2, 0.9) if kind != 1 else 0.3,
        fog=rng.uniform(90, 260),
    )


def draw_street(rng: np.random.Generator) -> Street:
    """From a lane with narrow pavements to a wide road with a verge."""
    road = rng.uniform(3.4, 7.0)
    pavement = road + rng.uniform(1.8, 4.0)
    return Street(road, pavement, pavement + (rng.uniform(1.0, 4.0) if rng.random() < 0.5 else 0.3))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise, (H, W), of mean 0 and deviation of about 0.5, interpolated over a grid of `cells`."""
    coarse = rng.normal(0, 0.7, (cells[0] + 1, cells[1] + 1))
    rows, columns = (_tents(side, num_cells) for side, num_cells in zip(shape, cells, strict=True))
    return rows @ coarse @ columns.T


def _tents(side: int, num_cells: int) -> np.ndarray:
    """Weights that interpolate num_cells + 1 values to `side` pixels, (side, num_cells + 1)."""
    positions = np.linspace(0, num_cells, side, endpoint=False)
    return np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(num_cells + 1)))


def paint_surroundings(
    rng: np.random.Generator, camera: Camera, light: Light, street: Street
) -> tuple[np.ndarray, np.ndarray]:
    """The surroundings of a street, without its objects: pixels (H, W, 3) float, 0-255, and label ids (H, W) uint8."""
    pixels = np.empty((camera.height, camera.width, 3))
    labels = np.full((camera.height, camera.width), LABEL["sky"], np.uint8)
    _paint_sky(rng, camera, light, pixels)
    _paint_skyline(rng, camera, light, pixels, labels)
    _paint_ground(rng, camera, light, street, pixels, labels)
    for side in (-1, 1):
        _paint_facades(rng, camera, light, street.facade, side, pixels, labels)
    return pixels, labels


def _paint_sky(rng: np.random.Generator, camera: Camera, light: Light, pixels: np.ndarray) -> None:
    height = np.clip(np.arange(camera.height) / camera.horizon, 0, 1)[:, None, None]
    pixels[:] = light.sky_top * (1 - height) + light.haze * height
    shape = pixels.shape[:2]
    clouds = smooth_noise(rng, shape, (9, 7)) + 0.6 * smooth_noise(rng, shape, (24, 20))
    cover = np.clip(clouds + light.clouds - 0.5, 0, 1)[..., None]
    pixels += cover * (245 - pixels) * 0.75


def _paint_skyline(
    rng: np.random.Generator, camera: Camera, light: Light, pixels: np.ndarray, labels: np.ndarray
) -> None:
    """Trees and houses at the end of the street."""
    columns = np.arange(camera.width)
    rows = np.arange(camera.height)[:, None]
    blocks = np.repeat(rng.uniform(4, 16, 24), rng.integers(10, 40, 24))
    blocks = np.resize(blocks, camera.width)
    crowns = 6 + 3 * smooth_noise(rng, (1, camera.width), (1, 12))[0] + np.abs(np.sin(columns / rng.uniform(4, 7)))
    for name, heights, colour in (("building", blocks, (134, 124, 116)), ("vegetation", crowns, (62, 82, 48))):
        if name == "building" and rng.random() < 0.3:
            continue
        top = camera.horizon - camera.focal * (heights - camera.eye) / FAR
        mask = (rows >= top) & (rows <= camera.horizon + camera.focal * camera.eye / FAR)
        texture = 1 + 0.12 * smooth_noise(rng, labels.shape, (90, 140))
        pixels[mask] = (light.colour(colour, FAR * 0.8) * texture[..., None])[mask]
        labels[mask] = LABEL[name]


# -- ground


def _paint_ground(
    rng: np.random.Generator, camera: Camera, light: Light, street: Street, pixels: np.ndarray, labels: np.ndarray
) -> None:
    first = int(np.ceil(camera.horizon + camera.focal * camera.eye / FAR))
    rows = np.arange(first, camera.height)[:, None]
    z = camera.focal * camera.eye / (rows - camera.horizon)
    x = (np.arange(camera.width) - camera.centre) * z / camera.focal
    z = np.broadcast_to(z, x.shape)
    road, pavement = np.abs(x) < street.road, np.abs(x) < street.pavement
    grass = np.array((96, 118, 58)) * rng.uniform(0.8, 1.15)
    asphalt = np.full(3, rng.uniform(82, 112)) + (0, 1, 4)
    stone = np.full(3, rng.uniform(132, 165)) + (6, 2, -4)
    colour = np.where(road[..., None], asphalt, np.where(pavement[..., None], stone, grass))
    colour *= _ground_texture(rng, x, z, road, pavement)[..., None]
    _mark_lanes(rng, street, x, z, colour)
    kerb = (np.abs(x) >= street.road) & (np.abs(x) < street.road + 0.18)
    colour[kerb] = 0.85 * stone + 30
    pixels[first:] = light.colour(colour, z)
    ground = np.where(pavement, LABEL["sidewalk"], LABEL["terrain"])
    labels[first:] = np.where(road, LABEL["road"], ground)


def _ground_texture(
    rng: np.random.Generator, x: np.ndarray, z: np.ndarray, road: np.ndarray, pavement: np.ndarray
) -> np.ndarray:
    """Brightness of the ground: worn wheel tracks, joints of paving stones, tufts of grass, patches."""
    texture = 1 + 0.08 * smooth_noise(rng, x.shape, (14, 9)) + 0.05 * smooth_noise(rng, x.shape, (70, 120))
    tracks = np.where(road, -0.05 * np.cos(2 * np.pi * x / rng.uniform(1.5, 2.0)), 0.0)
    near = np.clip(1.2 - z / 18, 0, 1)  # farther away the joints are finer than a pixel
    joints = (np.mod(x, 0.6) < 0.05) | (np.mod(z, 0.6) < 0.06)
    texture += tracks - np.where(pavement & ~road & joints, 0.16 * near, 0.0)
    return np.where(pavement, texture, texture + 0.16 * smooth_noise(rng, x.shape, (90, 170)))


def _mark_lanes(rng: np.random.Generator, street: Street, x: np.ndarray, z: np.ndarray, colour: np.ndarray) -> None:
    white = np.full(3, rng.uniform(190, 225))
    width = np.maximum(0.07, z / 400)  # a far line stays about half a pixel wide
    lines = [(0.0, True)] + [(side * (street.road - 2.1), False) for side in (-1, 1) if street.road > 5.2]
    for position, dashed in lines:
        on = np.mod(z + rng.uniform(0, 9), 9) < 4 if dashed else True
        line = (np.abs(x - position) < width) & on
        colour[line] = 0.75 * white + 0.25 * colour[line]
    if rng.random() < 0.3:
        start = rng.uniform(9, 20)
        zebra = (z > start) & (z < start + 3) & (np.mod(x, 1.0) < 0.5) & (np.abs(x) < street.road - 0.3)
        colour[zebra] = 0.85 * white + 0.15 * colour[zebra]


# -- facades


def _paint_facades(
    rng: np.random.Generator,
    camera: Camera,
    light: Light,
    distance: float,
    side: int,
    pixels: np.ndarray,
    labels: np.ndarray,
) -> None:
    """One side of the street: the plane x = side * distance, cut into houses, walls, fences and gaps."""
    reach = side * (np.arange(camera.width) - camera.centre)
    columns = np.flatnonzero(reach > camera.focal * distance / (FAR * 0.9))
    z = camera.focal * distance / reach[columns]
    y = camera.eye - (np.arange(camera.height)[:, None] - camera.horizon) * z / camera.focal
    starts, kinds, heights, colours = _plots(rng)
    plot = np.searchsorted(starts, z, side="right") - 1
    mask = (y >= 0) & (y < heights[plot])
    colour = np.broadcast_to(colours[plot], (*y.shape, 3)).copy()
    houses = kinds[plot] == LABEL["building"]
    _add_windows(rng, light, y, z, plot, houses, heights[plot], colour)
    bars = (kinds[plot] == LABEL["fence"]) & ((np.mod(z, 0.5) < 0.22) | (y > heights[plot] - 0.15))
    colour[np.broadcast_to(bars, y.shape)] *= 0.72
    wear = 1 + 0.10 * smooth_noise(rng, y.shape, (12, 16)) + 0.05 * smooth_noise(rng, y.shape, (80, 120))
    shaded = light.colour(colour * wear[..., None] * light.shade[side > 0], np.broadcast_to(z, y.shape))
    where = np.nonzero(mask)
    pixels[where[0], columns[where[1]]] = shaded[mask]
    labels[where[0], columns[where[1]]] = np.broadcast_to(kinds[plot], y.shape)[mask]


def _plots(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Plots from the camera to FAR: start of each (m), label, height (m) and colour."""
    starts = np.concatenate(([0.0], np.cumsum(rng.uniform(7, 20, 16))))
    kind = rng.choice(
        [LABEL["building"], LABEL["wall"], LABEL["fence"], LABEL["terrain"]], 17, p=(0.68, 0.10, 0.14, 0.08)
    )
    floors = rng.integers(2, 6, 17) * STOREY + rng.uniform(0.6, 1.6, 17)
    low = {LABEL["wall"]: 2.0, LABEL["fence"]: 1.5, LABEL["terrain"]: 0.0}
    heights = np.array([low.get(int(k), floor) for k, floor in zip(kind, floors, strict=True)])
    plaster = np.array(((196, 178, 148), (170, 120, 98), (206, 198, 186), (150, 148, 150), (188, 160, 120)))
    colours = plaster[rng.integers(0, len(plaster), 17)] * rng.uniform(0.75, 1.1, (17, 1))
    colours[kind == LABEL["fence"]] = (112, 108, 100)
    colours[kind == LABEL["wall"]] = (148, 142, 134)
    return starts, kind.astype(np.uint8), heights, colours


def _add_windows(
    rng: np.random.Generator,
    light: Light,
    y: np.ndarray,
    z: np.ndarray,
    plot: np.ndarray,
    houses: np.ndarray,
    heights: np.ndarray,
    colour: np.ndarray,
) -> None:
    """Panes that mirror sky or room, a darker ground floor with shop windows, and the edge of the roof."""
    bay, floor = np.floor(z / BAY).astype(int), np.floor(y / STOREY).astype(int)
    along, up = np.mod(z / BAY, 1), np.mod(y / STOREY, 1)
    upper = (floor > 0) & (np.abs(along - 0.5) < 0.24) & (up > 0.28) & (up < 0.82)
    shop = (floor == 0) & (np.abs(along - 0.5) < 0.38) & (up > 0.12) & (up < 0.78)
    panes = (upper | shop) & houses & (y < heights - 0.9) & (y > 0)
    shine = rng.uniform(0.15, 0.75, (64, 64))[floor % 64, bay % 64][..., None]
    glass = np.array((44, 50, 58)) * (1 - shine) + light.sky_top * shine * 0.7
    frame = houses & (y > heights - 0.55)
    colour[(floor == 0) & houses] *= 0.85
    colour[frame] *= 0.62
    colour[panes] = glass[panes]
