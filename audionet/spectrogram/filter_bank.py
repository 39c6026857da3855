"""What turns a power spectrum into the rows of a picture, and grey into colours: made once by `prepare`.

Both travel with the pictures and the model, so that `label` needs neither librosa nor matplotlib, and a later
release of either cannot change how an old model hears.
"""

import base64
import functools
import zlib
from importlib import resources

import numpy as np

from audionet.errors import AudionetError
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, TRANSFORM_SAMPLES
from audionet.system.text import did_you_mean

PITCH_CLASSES, LOWEST_A_HZ = 12, 440.0 / 16
# Slaney's mel scale (Auditory Toolbox, 1998): even up to 1000 Hz, which are 15 mel; then, 27 mel are a factor of 6.4.
LINEAR_HZ, LINEAR_MELS, LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27
# Above it, rows of low frequencies would be narrower than the bins of a spectrum, and some would lie between two.
HIGHEST_MEL_RATE_HZ = 48_000


def make_filter_bank(representation: str, sample_rate_hz: int) -> np.ndarray:
    """A float32 array, PICTURE_SIZE rows x bins of a spectrum, 0 Hz to half the sample rate.

    Row 0 is the lowest frequency (or the pitch class C).

    mel: triangles of equal area, evenly spaced on Slaney's mel scale, as librosa.filters.mel has them. Above
        HIGHEST_MEL_RATE_HZ the scale, which was made for what people hear, is stretched: at 384 kHz, a row is that of
        a frequency an eighth as high at 48 kHz.
    spectrogram: the bins as they are, stretched over the rows.
    chromagram: 12 pitch classes as librosa.filters.chroma has them, each as high as PICTURE_SIZE / 12 rows.
    """
    if representation == "spectrogram":
        # A row takes the share of each bin that lies inside it.
        count = TRANSFORM_SAMPLES["spectrogram"] // 2 + 1
        edges = np.linspace(0, count, PICTURE_SIZE + 1)
        starts, ends = edges[:-1, None], edges[1:, None]
        bins = np.arange(count)
        overlap = np.minimum(ends, bins + 1) - np.maximum(starts, bins)
        return np.asarray(np.clip(overlap, 0, None), np.float32)
    if representation == "mel":
        if sample_rate_hz != SAMPLE_RATE_HZ:
            return _mel_filter_bank(min(sample_rate_hz, HIGHEST_MEL_RATE_HZ))
        # As librosa made it (scripts/make_filter_bank.py), so that no last bit of a picture ever changes.
        with (resources.files("audionet") / "weights" / "mel_filter_bank.npz").open("rb") as file:
            return np.asarray(np.load(file)["mel"], np.float32)
    classes = _chroma_filter_bank(sample_rate_hz)
    return np.ascontiguousarray(classes[np.arange(PICTURE_SIZE) * PITCH_CLASSES // PICTURE_SIZE], np.float32)


def _chroma_filter_bank(sample_rate_hz: int) -> np.ndarray:
    """librosa.filters.chroma(sr=sample_rate_hz, n_fft=2048, n_chroma=PITCH_CLASSES), to the last bit.

    librosa's own makes Numba compile for 20 seconds when it is used for the first time in an installation, and breaks
    down where nothing can be written, neither to the home folder nor to the installation.
    """
    size = TRANSFORM_SAMPLES["chromagram"]
    bins_hz = np.arange(1, size) * (sample_rate_hz / size)
    places = PITCH_CLASSES * np.log2(bins_hz / LOWEST_A_HZ)  # in semitones above it
    places = np.concatenate([places[:1] - 1.5 * PITCH_CLASSES, places])  # 0 Hz has none; it lies far below
    widths = np.append(np.diff(places).clip(1), 1)
    half = PITCH_CLASSES / 2
    distances = (places - np.arange(PITCH_CLASSES)[:, None] + half) % PITCH_CLASSES - half
    weights = np.exp(-0.5 * (2 * distances / widths) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=0))
    # The fifth octave is heard best.
    weights *= np.exp(-0.5 * ((places / PITCH_CLASSES - 5) / 2) ** 2)
    from_c = np.roll(weights, -3, axis=0)  # instead of from A
    return np.asarray(from_c[:, : size // 2 + 1], np.float32)


def _mel_filter_bank(sample_rate_hz: int) -> np.ndarray:
    """librosa.filters.mel(sr=sample_rate_hz, n_fft=2048, n_mels=PICTURE_SIZE), without loading it."""
    highest_hz = sample_rate_hz / 2
    highest_mel = LINEAR_MELS + np.log(highest_hz / LINEAR_HZ) / LOG_STEP
    mels = np.linspace(0, highest_mel, PICTURE_SIZE + 2)
    is_linear = mels < LINEAR_MELS
    edges_hz = np.where(
        is_linear, mels * LINEAR_HZ / LINEAR_MELS, LINEAR_HZ * np.exp(LOG_STEP * (mels - LINEAR_MELS).clip(0))
    )
    low, middle, high = (edges_hz[n : n + PICTURE_SIZE, None] for n in range(3))
    bins_hz = np.linspace(0, highest_hz, TRANSFORM_SAMPLES["mel"] // 2 + 1)
    triangles = np.minimum((bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle))
    return np.asarray(triangles.clip(0) * 2 / (high - low), np.float32)


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
    return None if array is None else _packed(array.tobytes())


@functools.lru_cache(maxsize=4)  # the index of the pictures is written again and again with the same filter bank
def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


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
