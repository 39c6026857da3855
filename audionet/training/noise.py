"""The direction in which noise moves the features of a picture."""

from importlib import resources

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import Backbone
from audionet.settings import PictureSettings


def noise_direction(backbone: Backbone, pictures: PictureSettings) -> NDArray[np.float32] | None:
    """How white noise moves the features of a picture (float32, features), or None where it was not measured.

    It was measured with the network of the package and grey mel pictures (scripts/make_noise_direction.py).
    """
    if backbone.name != "rows" or (pictures.representation, pictures.colormap) != ("mel", "gray"):
        return None
    with (resources.files("audionet") / "weights" / "noise_direction.npy").open("rb") as file:
        return np.asarray(np.load(file), np.float32)
