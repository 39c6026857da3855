"""Where the sound of pictures is, in the recordings that they were drawn from."""

from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.dataset.samples import load_pictures
from audionet.dataset.sources import chunk_sources
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings
from tests.conftest import tone, write_wav


def test_the_sound_of_a_picture_is_that_of_its_own_channel(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number, name in enumerate(("owl", "wren"), start=1):
        sides = [tone(frequency * number, 1, 0.2) for frequency in (500, 700)]
        write_wav(data / name / "both.wav", np.stack(sides, axis=1))
    audionet.prepare(data, PrepareOptions(tmp_path / "pictures", PictureSettings(0.5, 0), channel="each"))
    pictures = load_pictures(tmp_path / "pictures")
    sources = chunk_sources(pictures)
    heard = [sources[sample.path] for sample in pictures.samples if sample.class_name == "owl"]
    assert [(source.choice.channel, source.start_seconds) for source in heard] == [
        ("1", 0), ("1", pytest.approx(0.5)), ("2", 0), ("2", pytest.approx(0.5)),
    ]  # fmt: skip
    assert {source.recording for source in heard} == {(data / "owl" / "both.wav").resolve()}
    assert len({source.digest for source in heard}) == 4
