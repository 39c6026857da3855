from pathlib import Path

import numpy as np

from audionet.audio.decoding import decode
from audionet.bottleneck.backbone import Backbone, Network, bottleneck, load_backbone
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.noise import noise_direction
from tests.conftest import SAMPLE_CLIPS


def test_noise_moves_the_features_of_any_clip_in_the_direction_that_is_known() -> None:
    pictures = PictureSettings(2)
    backbone = load_backbone("rows", Path())
    direction = noise_direction(backbone, pictures)
    assert direction is not None
    network, renderer = Network(backbone.flatbuffer), SpectrogramRenderer.make(pictures)

    def features(samples: np.ndarray) -> np.ndarray:
        picture = np.repeat(renderer.render(samples)[:, :, None], 3, axis=2)
        return bottleneck(network, picture).astype(float)

    for clip in sorted(SAMPLE_CLIPS.glob("*/*-clip-1.mp3")):
        sound = np.concatenate(list(decode(clip)))[: 2 * SAMPLE_RATE_HZ]
        noise = np.random.default_rng(0).normal(0, 0.1 * sound.std(), len(sound))  # 20 dB below the voice
        change = features(sound + noise) - features(sound)
        cosine = change @ direction / np.linalg.norm(change) / np.linalg.norm(direction)
        assert cosine > 0.5, clip


def test_where_it_was_not_measured_none_is_known() -> None:
    backbone = load_backbone("rows", Path())
    assert noise_direction(Backbone("pool_3", backbone.flatbuffer), PictureSettings()) is None
    assert noise_direction(backbone, PictureSettings(representation="spectrogram")) is None
    assert noise_direction(backbone, PictureSettings(colormap="magma")) is None
