#!/usr/bin/env python3
"""Make audionet/weights/noise_direction.npy: what white noise does to the bottlenecks of the sample voices.

    python scripts/make_noise_direction.py

Two seconds at a time of the start of each recording, with noise 25 dB below them and without: the mean difference.
"""

from pathlib import Path

import numpy as np

from audionet import PictureSettings
from audionet.audio.decoding import decode
from audionet.bottleneck.backbone import Network, bottleneck, load_backbone
from audionet.settings import SAMPLE_RATE_HZ
from audionet.spectrogram.transform import SpectrogramRenderer

ROOT = Path(__file__).resolve().parent.parent
VOICES, OUTPUT = ROOT / "tf_files" / "data_audio", ROOT / "audionet" / "weights" / "noise_direction.npy"
CHUNK_SECONDS, CHUNKS = 2.0, 6  # of each recording
NOISE_DB = -25.0


def main() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(CHUNK_SECONDS))
    network = Network(load_backbone("rows", ROOT / "tf_files" / "models").flatbuffer)
    random, differences = np.random.default_rng(0), []

    def features(samples: np.ndarray) -> np.ndarray:
        picture = np.repeat(renderer.render(samples)[:, :, None], 3, axis=2)
        return bottleneck(network, picture).astype(np.float32)

    for path in sorted(VOICES.glob("*/*.mp3")):
        sound = np.concatenate(list(decode(path)))
        for chunk in np.split(sound, np.arange(1, CHUNKS + 1) * round(CHUNK_SECONDS * SAMPLE_RATE_HZ))[:CHUNKS]:
            level = np.sqrt(np.mean(chunk.astype(np.float64) ** 2)) * 10 ** (NOISE_DB / 20)
            noisy = np.rint(chunk + level * random.standard_normal(len(chunk)))
            differences.append(features(noisy) - features(chunk))
    np.save(OUTPUT, np.mean(differences, axis=0).astype(np.float16))
    print(f"{OUTPUT.name}: the mean of {len(differences)} differences")


if __name__ == "__main__":
    main()
