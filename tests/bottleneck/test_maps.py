"""Windows of a strip, seen through the maps of the network, against the network's own bottlenecks."""

from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import Network, load_backbone
from audionet.bottleneck.maps import FEATURES, Window, cut_to_maps, window_features
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram.transform import sounding_share

TILE = Window(29, 285)  # the columns of a picture that one run of the network is used for


@pytest.fixture(scope="module")
def networks() -> tuple[Network, Network]:
    """The embedded network, and the one that gives its maps."""
    backbone = load_backbone("rows", Path())
    return Network(backbone.flatbuffer), Network(cut_to_maps(backbone))


def picture(seed: int, columns: int) -> np.ndarray:
    """Smooth patches, brightest 255."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(90, 255, (PICTURE_SIZE // 12 + 1, columns // 12 + 1))
    return np.kron(coarse, np.ones((12, 12)))[:PICTURE_SIZE, :columns].astype(np.uint8)


def in_three(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)


def test_a_window_around_all_that_sounds_gives_what_the_network_gives(networks: tuple[Network, Network]) -> None:
    network, maps = networks
    grey = picture(0, PICTURE_SIZE)
    grey[:, :60], grey[:, 250:] = 0, 0
    (expected,) = network.run(in_three(grey))
    features = window_features(maps, grey, [TILE])
    assert features.bottlenecks.shape == (1, FEATURES)
    # The deviations are computed in another order, which shows where there is hardly any.
    np.testing.assert_allclose(features.bottlenecks[0], expected.ravel(), atol=0.1)
    assert np.abs(features.bottlenecks[0] - expected.ravel()).mean() < 1e-3
    assert features.sounding[0] == pytest.approx(sounding_share(grey) * PICTURE_SIZE / (TILE.last - TILE.first))


def test_windows_are_averages_over_their_own_columns(networks: tuple[Network, Network]) -> None:
    """A window's features are those of its part of the sound: of two halves that differ, each window knows its own."""
    network, maps = networks
    columns = 3 * PICTURE_SIZE
    one, other = picture(1, columns), picture(2, columns)
    one[150:], other[:150] = 0, 0  # sounds of high frequencies, then of low ones
    both = np.concatenate([one, other], axis=1)
    alone = [network.run(in_three(part[:, 300 : 300 + PICTURE_SIZE]))[0].ravel() for part in (one, other)]
    windows = [Window(300, 560), Window(columns + 300, columns + 560)]
    features = window_features(maps, both, windows).bottlenecks
    distances = np.linalg.norm(features[:, None] - np.stack(alone), axis=2)
    assert distances.argmin(axis=1).tolist() == [0, 1]
    assert (np.diag(distances) < 0.4 * distances[[0, 1], [1, 0]]).all()


def test_where_the_tiles_lie_makes_little_difference(networks: tuple[Network, Network]) -> None:
    _, maps = networks
    grey = picture(3, 900)
    window = Window(400.5, 520.25)
    (alone,) = window_features(maps, grey, [window]).bottlenecks
    (_, among_others) = window_features(maps, grey, [Window(16, 80), window]).bottlenecks
    assert np.linalg.norm(alone - among_others) < 0.15 * np.linalg.norm(alone)


def test_silence_has_no_say(networks: tuple[Network, Network]) -> None:
    _, maps = networks
    grey = picture(4, 700)
    grey[:, 300:] = 0
    features = window_features(maps, grey, [Window(40, 300), Window(40, 600), Window(400, 600)])
    assert features.sounding.tolist() == pytest.approx([1, 260 / 560, 0], abs=0.01)
    assert np.isfinite(features.bottlenecks).all()
    own, with_silence, _ = features.bottlenecks
    assert np.linalg.norm(own - with_silence) < 0.05 * np.linalg.norm(own)
