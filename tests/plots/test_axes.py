import pytest

from audionet.plots.axes import row_ticks, time_ticks
from audionet.settings import PICTURE_SIZE, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import tone


@pytest.mark.parametrize("representation", ["mel", "spectrogram"])
@pytest.mark.parametrize("hertz", [500, 1000, 4000])
def test_a_tones_row_lies_at_its_tick(representation: str, hertz: int) -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(1, 0, representation))
    picture = renderer.render(tone(hertz, 1))
    brightest = int(picture.astype(int).sum(axis=1).argmax())  # from the top
    ticks = dict(zip(*reversed(row_ticks(renderer)), strict=True))
    place = ticks[f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz} Hz"]
    assert place == pytest.approx(1 - (brightest + 0.5) / PICTURE_SIZE, abs=2 / PICTURE_SIZE)


def test_pitch_classes_are_named() -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(1, 0, "chromagram"))
    places, names = row_ticks(renderer)
    brightest = int(renderer.render(tone(440, 1)).astype(int).sum(axis=1).argmax())
    assert abs(places[names.index("A")] - (1 - brightest / PICTURE_SIZE)) < 1 / 12


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 0.35, ["0 s", "0.05 s", "0.1 s", "0.15 s", "0.2 s", "0.25 s", "0.3 s", "0.35 s"]),
        (20, 26, ["20 s", "21 s", "22 s", "23 s", "24 s", "25 s", "26 s"]),
        (61.3, 63.2, [f"1:0{n / 10:.1f}" for n in range(14, 33, 2)]),
        (61.3, 61.6, [f"1:01.{n}" for n in range(30, 61, 5)]),
        (0, 125, ["0:00", "0:15", "0:30", "0:45", "1:00", "1:15", "1:30", "1:45", "2:00"]),
        (0, 7300, ["0:00:00", "0:15:00", "0:30:00", "0:45:00", "1:00:00", "1:15:00", "1:30:00", "1:45:00", "2:00:00"]),
    ],
)
def test_times_are_round(start: float, end: float, expected: list[str]) -> None:
    assert time_ticks(start, end)[1] == expected
