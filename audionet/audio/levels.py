"""How loud a chunk is, and how much of it is clipped."""

import numpy as np

from audionet.settings import FULL_SCALE

SILENT_DB = -60.0  # below full scale; a chunk that is not louder holds nothing that a person would hear
NO_SOUND_DB = -120.0  # what stands for digital silence, which has no level
CLIPPED_FROM = 0.995  # of full scale


def level_db(samples: np.ndarray) -> float:
    """The root mean square of int16 samples in decibels below full scale: 0 to NO_SOUND_DB."""
    power = float(np.mean(np.square(samples, dtype=np.float32))) / FULL_SCALE**2
    return max(NO_SOUND_DB, round(10 * float(np.log10(max(power, 1e-12))), 1))


def clipped_share(samples: np.ndarray) -> float:
    """The share of int16 samples at full scale, 0 to 1: more than a few were louder than the recording could hold."""
    limit = int(FULL_SCALE * CLIPPED_FROM)
    if samples.max() < limit and samples.min() > -limit:
        return 0.0
    return round(float(((samples >= limit) | (samples <= -limit)).mean()), 5)
