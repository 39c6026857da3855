"""label --timeline --report and --events --report: a card for each segment or event, and what is learnt from it."""

import base64
import csv
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet.audio.decoding import decode
from audionet.evaluation.predictions import Place
from audionet.report import excerpts
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.commands.test_prepare_parts import pictures
from tests.conftest import Run, chirps, pitch_hz, tone, write_wav

LOW, HIGH = (200, 400), (2000, 3000)


@dataclass(frozen=True)
class Shown:
    """A card as a page has it."""

    path: str
    start: str
    end: str
    heading: str
    markup: str

    @property
    def seconds(self) -> tuple[float, float]:
        return float(self.start), float(self.end)

    def sound(self, folder: Path) -> np.ndarray:
        """What it plays."""
        found = re.search(r'src="data:audio/mpeg;base64,(.*?)"', self.markup)
        assert found
        path = folder / f"{self.start}.mp3"
        path.write_bytes(base64.b64decode(found[1]))
        return np.concatenate(list(decode(path)))


def cards(page: Path) -> Iterator[Shown]:
    """The cards of a page, in order."""
    for markup in re.findall("<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL):
        values = [re.search(f'data-{name}="(.*?)"', markup) for name in ("path", "start", "end")]
        path, start, end = (html.unescape(value[1]) if value else "" for value in values)
        heading = re.search("<h3.*?>(.*?)</h3>", markup)
        yield Shown(path, start, end, heading[1] if heading else "", markup)


def splice(*parts: tuple[tuple[int, int], float]) -> np.ndarray:
    """Tones between two frequencies for so many seconds each."""
    return np.concatenate([chirps(40 + n, *band, seconds) for n, (band, seconds) in enumerate(parts)])


def listed(printed: str, key: str) -> list[dict[str, Any]]:
    """All segments or events that `--format json` printed, each with its clip."""
    return [{**found, "clip": clip["clip"]} for clip in json.loads(printed) for found in clip[key]]


def test_each_segment_is_a_card_that_is_heard_and_whose_seconds_alone_are_learnt(
    low_and_high: Path, audionet_here: Run, tmp_path: Path
) -> None:
    write_wav(tmp_path / "inbox" / 'a "loud" talk.wav', splice((LOW, 3), (HIGH, 13), (LOW, 4)))
    write_wav(tmp_path / "inbox" / "high.wav", splice((HIGH, 2)))
    (tmp_path / "inbox" / "broken.wav").write_bytes(b"no sound")
    page = tmp_path / "page.html"
    command = ["label", "inbox", "--timeline", "--format", "json", "--graph", low_and_high / "tf_files"]
    finished = audionet_here(*command, "--report", page)
    assert finished.returncode == 1
    assert "broken.wav" in finished.stderr
    segments, shown = listed(finished.stdout, "segments"), list(cards(page))
    assert sorted((card.path, *card.seconds) for card in shown) == [
        (segment["clip"], round(segment["start_seconds"], 3), round(segment["end_seconds"], 3)) for segment in segments
    ]
    by_doubt = sorted(segments, key=lambda segment: (segment["label"] != "unknown", segment["score"]))
    assert [card.heading.split(",")[0] for card in shown] == [segment["label"] for segment in by_doubt]
    for card in shown:
        sound, (start, end) = card.sound(tmp_path), card.seconds
        assert len(sound) / SAMPLE_RATE_HZ == pytest.approx(min(10, end - start), abs=0.2)
        assert ("(here until " in card.markup) == (end - start > 10)
        low_hz, high_hz = LOW if card.heading == "low" else HIGH
        assert low_hz - 20 <= pitch_hz(sound[:SAMPLE_RATE_HZ]) <= high_hz + 20

    (wrong,) = (card for card in shown if "talk" in card.path and card.heading == "high")
    with open(tmp_path / "corrections.csv", "w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "start", "end"], [wrong.path, "whistle", wrong.start, wrong.end]])
    write_wav(tmp_path / "data" / "low" / "1.wav", tone(300, 1))
    prepare = ["prepare", "data", "--corrections", "corrections.csv", "--chunk-seconds", 1, "--overlap", 0]
    assert audionet_here(*prepare).returncode == 0
    learnt = pictures(tmp_path / "tf_files" / "data_image")
    assert learnt.keys() == {"low/1.wav", 'whistle/a "loud" talk.wav'}
    start, end = wrong.seconds
    chunks = learnt['whistle/a "loud" talk.wav']
    assert [chunk[0] for chunk in chunks] == pytest.approx([start + n for n in range(len(chunks))], abs=0.002)
    assert end - 0.25 < chunks[-1][1] <= end + 0.002  # less than a quarter of a chunk is not drawn


def test_events_are_cards_and_the_most_doubtful_come_first(
    low_and_high: Path, audionet_here: Run, tmp_path: Path
) -> None:
    write_wav(tmp_path / "night.wav", splice((LOW, 4), (HIGH, 1.5), (LOW, 4), (HIGH, 2), (LOW, 3)))
    write_wav(tmp_path / "still.wav", splice((LOW, 3)))
    command = ["--events", "--background", "low", "--format", "json", "--graph", low_and_high / "tf_files"]
    events = sorted(
        listed(audionet_here.done("label", "night.wav", "still.wav", *command, "--report", "page.html"), "events"),
        key=lambda event: event["score"],
    )
    assert [(card.path, *card.seconds, card.heading) for card in cards(tmp_path / "page.html")] == [
        ("night.wav", round(event["start_seconds"], 3), round(event["end_seconds"], 3), "high") for event in events
    ]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "2 events: “high” 2." in page
    assert "The events with the lowest scores come first." in page
    audionet_here.done("label", "still.wav", *command, "--report", "page.html")
    assert list(cards(tmp_path / "page.html")) == []
    assert "No events in 1 clip." in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("channel", [None, "right"])
def test_a_recording_is_read_once_for_all_that_is_heard_of_it(
    channel: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    sound = (random.normal(0, 2000, (20 * SAMPLE_RATE_HZ, 2)) * (1, 0.5)).astype(np.int16)
    heard = sound[:, 1]
    path = str(write_wav(tmp_path / "night.wav", sound if channel else heard))
    times = [(12.0, 13.0), (3.0, 5.5), (4.0, 4.2), (19.0, 30.0), (25.0, 26.0)]
    places = [*(Place(path, *seconds, path) for seconds in times), Place("gone.wav", 0.0, 1.0, "gone.wav")]
    opened = []

    def counted(path: Path, *arguments: Any) -> Iterator[np.ndarray]:
        opened.append(path.name)
        return decode(path, *arguments)

    monkeypatch.setattr(excerpts, "decode", counted)
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    sources = list(excerpts.clip_sources(places, range(len(places)), renderer, SoundChoice(channel=channel)))
    assert opened == ["night.wav", "gone.wav"]
    assert [source.position for source in sources] == [1, 2, 0, 3]  # one lies behind the end
    for source in sources:
        start, end = times[source.position]
        first, last = (round(seconds * SAMPLE_RATE_HZ) for seconds in (start, min(end, start + 2)))
        assert source.samples is not None
        assert np.array_equal(source.samples, heard[first:last])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["inbox", "--windows"], "leave out --windows"),
        (["--watch", "inbox"], "name clips"),
    ],
)
def test_a_report_of_what_it_cannot_show_is_refused(audionet_here: Run, typed: list[str], said: str) -> None:
    error = audionet_here.refused("label", *typed, "--report", "page.html")
    assert "--report: shows clips" in error
    assert said in error


def test_a_channel_whose_name_is_longer_than_files_may_have_is_no_recording() -> None:
    assert excerpts.recording_of_clip("a" * 250 + ".wav (left)") == ""
