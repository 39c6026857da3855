"""Random distortions of pictures, as retrain.py of 2017 defines them: made anew in each training, never cached.

They were made for photographs. Of a spectrogram, the left and right are before and after, and the top and bottom are
high and low: see the help of `audionet retrain` for which of them make sense.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.bottleneck.backbone import Backbone, Network, bottleneck
from audionet.options import RetrainOptions
from audionet.settings import PICTURE_SIZE, available_cores
from audionet.spectrogram import jpeg
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation
from audionet.system.progress import Progress, counted, silent

COPIES = 4  # of each picture, each distorted in its own way


@dataclass(frozen=True)
class Distortions:
    """What is done to a picture, each by chance.

    flip_left_right: half of the pictures are mirrored.
    random_crop: percentage of a margin that is cropped off, at a random place.
    random_scale: percentage by which a picture is scaled up at most, before it is cropped.
    random_brightness: percentage by which a picture is made brighter or darker at most.
    """

    flip_left_right: bool = False
    random_crop: float = 0.0
    random_scale: float = 0.0
    random_brightness: float = 0.0

    @classmethod
    def of(cls, options: RetrainOptions) -> "Distortions | None":
        """The distortions that the options ask for; None if they ask for none."""
        asked = cls(options.flip_left_right, options.random_crop, options.random_scale, options.random_brightness)
        return None if asked == cls() else asked

    @property
    def copies(self) -> list[Augmentation]:
        """The copies of each picture, which count in training as the picture itself does."""
        return [ORIGINAL] * COPIES

    def apply(self, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A distorted copy of a picture: uint8, of the same shape."""
        enlarged = (1 + self.random_crop / 100) * random.uniform(1, 1 + self.random_scale / 100)
        side = PICTURE_SIZE / enlarged  # of the part that is left once the picture is scaled up and cropped
        left, top = random.uniform(0, PICTURE_SIZE - side, 2)
        distorted = jpeg.enlarge(picture, (left, top, left + side, top + side))
        if self.flip_left_right and random.random() < 0.5:
            distorted = distorted[:, ::-1]
        factor = random.uniform(1 - self.random_brightness / 100, 1 + self.random_brightness / 100)
        return np.ascontiguousarray(np.rint((distorted * factor).clip(0, 255)), np.uint8)


def distorted_bottlenecks(
    paths: Sequence[Path], backbone: Backbone, distortions: Distortions, seed: int, progress: Progress = silent
) -> np.ndarray:
    """The bottlenecks of COPIES of each picture: float16, pictures x COPIES x features.

    The same seed gives the same. The paths are of pictures that have been read before.
    """
    network = Network(backbone.flatbuffer)

    def work(position: int) -> np.ndarray:
        picture, _ = jpeg.decode(paths[position].read_bytes(), paths[position])
        random = np.random.default_rng([seed, position])
        return np.stack([bottleneck(network, distortions.apply(picture, random)) for _ in range(COPIES)])

    with ThreadPoolExecutor(available_cores()) as executor:
        rows = executor.map(work, range(len(paths)))
        return np.stack(list(counted("distorted pictures", rows, len(paths), progress)))
