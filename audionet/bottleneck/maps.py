"""A stretch of sound -> the bottlenecks of windows of it, with every column sent through the backbone once.

The blocks of the embedded network are maps over frequency and time, and a bottleneck is made of their averages over
time. The averages of many windows that overlap are sums over the columns of the same maps, so that a timeline costs
hardly more than the label of the clip.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import Backbone, Network
from audionet.bottleneck.litert_file import keep_outputs, pack, unpack
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram.transform import as_brightness, column_weights

Pixel = TypeVar("Pixel", np.uint8, np.bool_)

BLOCKS = ("mixed2", "mixed3")
MIXED2_CHANNELS, MIXED3_CHANNELS = 288, 768
FEATURES = 37_758  # of a bottleneck of the embedded backbone
CEPSTRAL_COEFFICIENTS = 30
# The deviations in all of the cepstrum and of what all frequencies have in common, against those of the rows, were
# chosen on the training sides (docs/experiments.md).
CEPSTRUM_GAIN = 5.5
OVERALL_GAIN = 5.0
SMALLEST_WEIGHT = 1e-6  # of a column: a black picture has an average too
SMALLEST_VARIANCE = 1e-8  # under the root: its slope at 0 has no bound

# The columns of a block at the ends of a picture hear the padding of the convolutions before them, so that the middle
# of a picture is used: so many of its columns, from this one on.
TILE_COLUMNS, MARGIN_COLUMNS = 256, 29


class Block(NamedTuple):
    """How the columns of a block lie in a picture.

    first, columns: which columns of the block are used of one picture: from which on, and how many.
    stride: columns of the picture from the middle of one to the next. middle: of the first, from MARGIN_COLUMNS on.
    """

    first: int
    columns: int
    stride: int
    middle: float


MIXED2, MIXED3 = Block(2, 32, 8, 0.0), Block(1, 16, 16, 8.0)
COLUMNS = Block(MARGIN_COLUMNS, TILE_COLUMNS, 1, 0.5)  # of the picture itself
SMALLEST_WINDOW = MIXED2.stride  # columns of a picture


def window_seconds(usual_seconds: float, chunk_seconds: float) -> float:
    """How long a window is that is usually so long: at least SMALLEST_WINDOW columns, and at most a chunk."""
    return min(max(usual_seconds, chunk_seconds * SMALLEST_WINDOW / PICTURE_SIZE), chunk_seconds)


class Window(NamedTuple):
    """The columns of a picture where a window begins and ends, with fractions of a column."""

    first: float
    last: float


def cut_to_maps(backbone: Backbone) -> bytes:
    """The LiteRT network from a picture to the maps of BLOCKS, with the weights of the embedded backbone.

    The maps are float32, frequency x time x channels: 35 x 35 x 288 and 17 x 17 x 768.
    """
    model = unpack(backbone.flatbuffer)
    names = [tensor.name.decode() for tensor in model.subgraphs[0].tensors]
    joined = [
        next(n for n, name in enumerate(names) if f"/{block}_" in name and name.endswith("/concat")) for block in BLOCKS
    ]
    keep_outputs(model, joined)
    return pack(model, len(backbone.flatbuffer))


@dataclass(frozen=True)
class WindowFeatures:
    """What is known of some windows of a picture.

    bottlenecks: windows x features, float32: as the backbone gives them for a picture of a window's sound, but for what
        the blocks hear of the sound around it.
    sounding: how much of each window's time sounds, 0 to 1.
    """

    bottlenecks: NDArray[np.float32]
    sounding: NDArray[np.float64]


@dataclass(frozen=True)
class PictureMaps:
    """The maps of a picture of any width, out of which the features of windows of it are taken.

    first: the column of the picture where they begin. tiles: how often TILE_COLUMNS they go on.
    mixed2, mixed3, squares3 (of mixed3): columns of the block x (frequency x channels). cepstra: columns of the picture
    x coefficients. sounding: how much of each column sounds, 0 to 1.
    """

    first: int
    tiles: int
    mixed2: NDArray[np.float32]
    mixed3: NDArray[np.float32]
    squares3: NDArray[np.float32]
    cepstra: NDArray[np.float32]
    sounding: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        network: Network,
        picture: NDArray[np.uint8],
        windows: Sequence[Window],
        left_out: NDArray[np.bool_] | None = None,
    ) -> "PictureMaps":
        """The maps of as much of a picture as some windows need, each of which lies at least partly within it.

        network: of `cut_to_maps`. picture: PICTURE_SIZE x columns (x 3). left_out: columns that count as silent.
        """
        first = math.floor(min(window.first for window in windows))
        tiles = math.ceil((max(window.last for window in windows) - first) / TILE_COLUMNS)
        shown = _cut_out(picture, first - MARGIN_COLUMNS, (tiles - 1) * TILE_COLUMNS + PICTURE_SIZE)
        mixed2, mixed3 = _run(network, shown, tiles)
        used = shown[:, MARGIN_COLUMNS : MARGIN_COLUMNS + tiles * TILE_COLUMNS]
        brightness = as_brightness(used).astype(np.float32)
        sounding = column_weights(brightness).astype(np.float64)
        if left_out is not None:
            sounding *= ~_cut_out(left_out[None], first, tiles * TILE_COLUMNS)[0]
        cepstra = np.asarray(brightness.T @ cepstrum_cosines())
        return cls(first, tiles, mixed2, mixed3, np.square(mixed3), cepstra, sounding)

    def features(self, windows: Sequence[Window], at_once: int) -> Iterator[WindowFeatures]:
        """The features of windows, of so many at once, since those of each have 150 kB."""
        edges = np.array(windows) - self.first
        weights = np.concatenate([[0.0], np.cumsum(self.sounding + SMALLEST_WEIGHT)])
        all_shares = [_shares(weights, edges, block, self.tiles) for block in (MIXED2, MIXED3, COLUMNS)]
        lengths = np.maximum(edges[:, 1] - edges[:, 0], 1e-9)
        heard = np.interp(edges, np.arange(len(weights)), np.concatenate([[0.0], np.cumsum(self.sounding)]))
        sounding = (heard[:, 1] - heard[:, 0]) / lengths
        for first in range(0, len(windows), at_once):
            batch = slice(first, first + at_once)
            yield WindowFeatures(self._bottlenecks(*(shares[batch] for shares in all_shares)), sounding[batch])

    def _bottlenecks(
        self, shares2: NDArray[np.float32], shares3: NDArray[np.float32], shares_of_columns: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The bottlenecks of some windows, from how much each column of MIXED2, MIXED3 and COLUMNS counts in each."""
        (mean2,) = _averages(shares2, self.mixed2)
        mean3, square3 = _averages(shares3, self.mixed3, self.squares3)
        deviation3 = np.sqrt(np.maximum(square3 - np.square(mean3), 0) + SMALLEST_VARIANCE)
        (cepstra,) = _averages(shares_of_columns, self.cepstra)
        rows2, _ = _rows(mean2, MIXED2_CHANNELS)
        mean_rows, overall_mean = _rows(mean3, MIXED3_CHANNELS)
        deviation_rows, overall_deviation = _rows(deviation3, MIXED3_CHANNELS)
        overall = [OVERALL_GAIN * overall_mean, OVERALL_GAIN * overall_deviation]
        return np.concatenate([rows2, mean_rows, deviation_rows, cepstra, *overall], axis=1)


def window_features(network: Network, picture: NDArray[np.uint8], windows: Sequence[Window]) -> WindowFeatures:
    """The features of a few windows of a picture; the arguments are those of PictureMaps.of."""
    return next(PictureMaps.of(network, picture, windows).features(windows, len(windows)))


def cepstrum_cosines() -> NDArray[np.float32]:
    """What turns the brightness of PICTURE_SIZE rows into the cepstral coefficients 1 to CEPSTRAL_COEFFICIENTS.

    The orthonormal cosine transform (DCT-II), as in MFCCs, times CEPSTRUM_GAIN; coefficient 0, loudness, is left out.
    """
    rows, numbers = np.arange(PICTURE_SIZE)[:, None] + 0.5, np.arange(1, CEPSTRAL_COEFFICIENTS + 1)
    cosines = np.cos(np.pi * rows * numbers / PICTURE_SIZE) * np.sqrt(2 / PICTURE_SIZE)
    return np.asarray(CEPSTRUM_GAIN * cosines, np.float32)


def _cut_out(picture: NDArray[Pixel], first: int, columns: int) -> NDArray[Pixel]:
    """A number of columns of a picture from one on; beyond its edges, the picture is mirrored."""
    missing = (max(0, -first), max(0, first + columns - picture.shape[1]))
    mirrored = np.pad(picture, ((0, 0), missing, (0, 0))[: picture.ndim], mode="symmetric")
    return mirrored[:, first + missing[0] :][:, :columns]


def _run(network: Network, picture: NDArray[np.uint8], tiles: int) -> list[NDArray[np.float32]]:
    """The used columns of MIXED2 and of MIXED3, from all tiles of a picture: columns x (frequency x channels)."""
    blocks = (MIXED2, MIXED3)
    used = [
        np.empty((tiles, block.columns, frequencies, channels), np.float32)
        for block, (frequencies, _, channels) in zip(blocks, network.output_shapes, strict=True)
    ]
    for tile in range(tiles):
        first = tile * TILE_COLUMNS
        maps = network.run(np.ascontiguousarray(picture[:, first : first + PICTURE_SIZE]))
        for block, block_map, columns in zip(blocks, maps, used, strict=True):
            columns[tile] = block_map[:, block.first : block.first + block.columns].swapaxes(0, 1)
    return [columns.reshape(tiles * columns.shape[1], -1) for columns in used]


def _shares(weights: NDArray[np.float64], edges: NDArray[np.float64], block: Block, tiles: int) -> NDArray[np.float32]:
    """How much each column of a block counts in the average over each window: windows x columns, in each row 1 in all.

    weights: of the picture's columns, added up, from 0. edges: windows x 2. A column counts by how much lies, of the
    stride around its middle, in the window.
    """
    middles = block.middle + block.stride * np.arange(block.columns * tiles)
    lows, highs = middles - block.stride / 2, middles + block.stride / 2
    lows[0], highs[-1] = 0, len(weights) - 1  # the first and the last stand for what lies beyond them
    firsts, lasts = edges[:, :1], edges[:, 1:]
    columns = np.arange(len(weights))
    lower, upper = (np.interp(np.clip(ends, firsts, lasts), columns, weights) for ends in (lows, highs))
    return np.asarray((upper - lower) / (upper - lower).sum(axis=1, keepdims=True), np.float32)


def _averages(shares: NDArray[np.float32], *maps: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The averages of maps (columns x values) over windows; shares (windows x columns) are of the columns in each."""
    used = np.flatnonzero(shares.any(axis=0))
    columns = slice(used[0], used[-1] + 1)  # windows of a batch lie side by side, and most columns in none of them
    return [shares[:, columns] @ a_map[columns] for a_map in maps]


def _rows(statistic: NDArray[np.float32], channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The roots of windows x (frequency x channels), each channel less its mean over frequency; and those means."""
    roots = np.sqrt(statistic).reshape(len(statistic), -1, channels)
    means = roots.mean(axis=1, keepdims=True)
    return (roots - means).reshape(statistic.shape), means[:, 0]
