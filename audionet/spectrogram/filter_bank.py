"""What turns a power spectrum into the rows of a picture, and grey into colours: made once by `prepare`.

Both travel with the pictures and the model, so that `label` needs neither librosa nor matplotlib, and a later
release of either cannot change how an old model hears.
"""

import base64
import zlib
from importlib import resources

import numpy as np

from audionet.errors import AudionetError
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, SPECTROGRAM_WINDOW_SAMPLES, WINDOW_SAMPLES
from audionet.system.text import did_you_mean

PITCH_CLASSES = 12


def make_filter_bank(representation: str) -> np.ndarray:
    """A float32 array, PICTURE_SIZE rows x bins of the spectrum of one window, 0 Hz to half the sample rate.

    Row 0 is the lowest frequency (or the pitch class C).

    mel: triangles of equal area, evenly spaced on Slaney's mel scale (librosa.filters.mel, as
        scripts/make_filter_bank.py has stored it).
    spectrogram: the bins as they are, stretched over the rows.
    chromagram: librosa.filters.chroma's 12 pitch classes, each as high as PICTURE_SIZE / 12 rows.
    """
    if representation == "spectrogram":
        # A row takes the share of each bin that lies inside it.
        count = SPECTROGRAM_WINDOW_SAMPLES // 2 + 1
        edges = np.linspace(0, count, PICTURE_SIZE + 1)
        starts, ends = edges[:-1, None], edges[1:, None]
        bins = np.arange(count)
        overlap = np.minimum(ends, bins + 1) - np.maximum(starts, bins)
        return np.asarray(np.clip(overlap, 0, None), np.float32)
    if representation == "mel":
        with (resources.files("audionet") / "weights" / "mel_filter_bank.npz").open("rb") as file:
            return np.asarray(np.load(file)["mel"], np.float32)
    # librosa takes over a second to start, so only what is rare waits for it.
    from librosa.filters import chroma

    classes = chroma(sr=SAMPLE_RATE_HZ, n_fft=WINDOW_SAMPLES, n_chroma=PITCH_CLASSES)
    return np.ascontiguousarray(classes[np.arange(PICTURE_SIZE) * PITCH_CLASSES // PICTURE_SIZE], np.float32)


def make_color_table(colormap: str) -> np.ndarray | None:
    """The 256 x 3 uint8 colours of a matplotlib colour map, dark to bright; None for `gray`.

    Raises AudionetError for a name that matplotlib does not know.
    """
    if colormap == "gray":
        return None
    import matplotlib

    try:
        colors = matplotlib.colormaps[colormap](np.arange(256), bytes=True)
    except KeyError:
        known = "gray, viridis, magma, inferno, plasma, cividis"
        like = did_you_mean(colormap, ["gray", *matplotlib.colormaps])
        raise AudionetError(f"--colormap {colormap}: no such colour map; try one of {known}{like}") from None
    return np.ascontiguousarray(np.asarray(colors)[:, :3], np.uint8)


def pack(array: np.ndarray | None) -> str | None:
    """An array as text for a JSON file."""
    return None if array is None else base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


def unpack(text: str | None, dtype: type, shape: tuple[int, ...]) -> np.ndarray | None:
    """The array that `pack` took. Raises ValueError if the text does not hold one of this type and shape."""
    if text is None:
        return None
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    # Never unpack more than is expected: the text may come from a stranger.
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except zlib.error as error:
        raise ValueError("not compressed") from error
    if len(data) != size:
        raise ValueError(f"expected {size} bytes, found {len(data)}")
    return np.frombuffer(data, dtype).reshape(shape)
