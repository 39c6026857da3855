import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audionet.plots.clip import MOST_COLUMNS, Spectrogram
from audionet.settings import PICTURE_SIZE, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import Run, chirps, tone, write_wav


def texts(svg: Path) -> list[str]:
    """What stands in a figure: matplotlib leaves it as comments beside the outlines of the letters."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"))


def test_memory_is_bounded_and_sounds_stay_in_their_places() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings())
    spectrogram = Spectrogram(renderer)
    low, high = tone(300, 65), tone(3000, 65)
    spectrogram.add_all([low[:7000], low[7000:], high])
    grey = spectrogram.grey().astype(int)
    assert spectrogram.seconds == 130
    assert grey.shape[0] == PICTURE_SIZE
    assert MOST_COLUMNS / 2 <= grey.shape[1] <= MOST_COLUMNS
    rows = grey.argmax(axis=0)
    change = int(np.flatnonzero(np.diff(rows) < -20)[0]) + 1  # upwards
    assert change / grey.shape[1] == pytest.approx(0.5, abs=0.005)


def test_a_clip_is_drawn_with_axes_and_its_classes(low_and_high: Path, audionet_here: Run, tmp_path: Path) -> None:
    svg = tmp_path / "new" / "clip.svg"
    finished = audionet_here("label", "test_audio/a $low$ clip.wav", "--plot", svg, cwd=low_and_high)
    assert (finished.returncode, finished.stderr) == (0, "")
    found = texts(svg)
    score = finished.stdout.splitlines()[1].split()[1]
    assert {"low", "high", score, "1 kHz", "4 kHz", "0 s", "2 s", "score", "frequency (mel scale)"} <= set(found)
    assert "test_audio/a $low$ clip.wav: low" in found


def test_a_timeline_is_drawn_under_the_sound(low_and_high: Path, audionet_here: Run, tmp_path: Path) -> None:
    both = np.concatenate([chirps(40, 200, 400, 8), chirps(41, 2000, 3000, 8)])
    clip = write_wav(tmp_path / "both.wav", both)
    svg = tmp_path / "both.svg"
    printed = audionet_here.done("label", clip, "--timeline", "--plot", svg, cwd=low_and_high)
    assert {"low", "high", "0 s", "14 s"} <= set(texts(svg))
    drawn = {float(text) for text in texts(svg) if re.fullmatch(r"[01]\.\d\d", text)}
    scores = [float(line.split()[-1]) for line in printed.splitlines()[1:]]
    assert all(min(abs(score - each) for each in drawn) <= 0.006 for score in scores)
    refused = audionet_here("label", clip, "--channel", "each", "--plot", svg, cwd=low_and_high)
    assert "name it with --channel, such as --channel left" in refused.stderr


def test_several_clips_go_into_a_folder_and_its_sub_folders(
    low_and_high: Path, audionet_here: Run, tmp_path: Path
) -> None:
    (tmp_path / "more" / "monday").mkdir(parents=True)
    for place in ("more", "more/monday"):
        shutil.copy(low_and_high / "test_audio" / "high.wav", tmp_path / place)
    assert "one.png: is one file, for several clips; name a folder, such as plots" in audionet_here.refused(
        "label", "test_audio", "--plot", tmp_path / "one.png", cwd=low_and_high
    )
    assert "one.gif: must end in .png, .svg, .pdf; name it" in audionet_here.refused(
        "label", "test_audio/high.wav", "--plot", tmp_path / "one.gif", cwd=low_and_high
    )
    assert not (tmp_path / "one.png").exists()
    audionet_here.done("label", "test_audio", tmp_path / "more", "--plot", tmp_path / "plots", cwd=low_and_high)
    drawn = sorted(path.relative_to(tmp_path / "plots").as_posix() for path in (tmp_path / "plots").rglob("*.png"))
    assert drawn == ["a $low$ clip.png", "high-2.png", "high.png", "monday/high.png"]
    with Image.open(tmp_path / "plots" / "high.png") as image:
        assert image.width == 1000


def test_a_prepared_picture_and_standard_input_are_drawn_too(
    low_and_high: Path, audionet: Run, audionet_here: Run, tmp_path: Path
) -> None:
    picture = "tf_files/data_image/low/low-1_nohash_0001.jpg"
    assert audionet_here("label", picture, "--plot", tmp_path / "picture.svg", cwd=low_and_high).returncode == 0
    assert {"1 s", "1.5 s", "2 s", "4 kHz", f"{picture}: low"} <= set(texts(tmp_path / "picture.svg"))
    clip = (low_and_high / "test_audio" / "high.wav").read_bytes()
    assert audionet("label", "-", "--plot", tmp_path / "in.svg", cwd=low_and_high, stdin=clip).returncode == 0
    assert "-: high" in texts(tmp_path / "in.svg")
