"""The usual way from recordings to spectrogram pictures, to compare `audionet prepare` with.

    python benchmarks/usual_way.py DATA_AUDIO OUTPUT

For each recording: librosa.load; for each chunk of 20 seconds: a mel spectrogram, librosa.display.specshow, savefig.
Closing each figure is kinder than the 2018 script, whose pictures took longer and longer.
"""

import sys
from pathlib import Path

import librosa
import matplotlib
import numpy as np
from librosa.display import specshow

matplotlib.use("Agg")
from matplotlib import pyplot as plt

CHUNK_SECONDS = 20
SAMPLE_RATE_HZ = 16_000


def main() -> None:
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    for path in sorted(source.glob("*/*.mp3")):
        samples, _ = librosa.load(path, sr=SAMPLE_RATE_HZ)
        size = CHUNK_SECONDS * SAMPLE_RATE_HZ
        folder = output / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        for index, start in enumerate(range(0, len(samples), size)):
            power = librosa.feature.melspectrogram(y=samples[start : start + size], sr=SAMPLE_RATE_HZ)
            figure = plt.figure()
            specshow(librosa.power_to_db(power, ref=np.max), sr=SAMPLE_RATE_HZ, y_axis="mel")
            plt.axis("off")
            figure.savefig(folder / f"{path.stem}_nohash_{index}.jpg")
            plt.close(figure)


if __name__ == "__main__":
    main()
