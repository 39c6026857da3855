import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.audio.ffmpeg import decode
from audionet.dataset.checks import ClassData
from audionet.evaluation.predictions import Place, Predictions
from audionet.inference.clips import ClipScores
from audionet.options import LabelOptions, PrepareOptions
from audionet.report import charts, page, sentences
from audionet.report.content import Excerpt, Map, Report
from audionet.report.evaluation import Evaluation, map_of_clips, predictions_of, report_on_evaluation
from audionet.report.excerpts import encode_mp3s
from audionet.report.review import cards_of_chunks
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.text import columns
from audionet.training.calibrator import HistoryPoint
from tests.conftest import Run, chirps, options_in, pitch_hz, quick_learning, tone, write_wav

NASTY = "<script>alert(1)</script>"


def results_of(labels: list[str], targets: list[int], predicted: list[int], score: float = 0.9) -> Predictions:
    """Chunks that were all given to the predicted class with the same score."""
    rest = (1 - score) / max(1, len(labels) - 1)
    probabilities = np.full((len(targets), len(labels)), rest)
    probabilities[np.arange(len(targets)), predicted] = score
    places = [Place(f"{labels[target]}/{n}", 0.0, 2.0) for n, target in enumerate(targets)]
    return Predictions(labels, places, np.array(targets), probabilities)


def report_of(tested: Predictions, excerpt: Excerpt | None = None) -> Report:
    """With the same excerpt on each card."""
    classes = [ClassData(label, 5, 10, 100.0) for label in tested.labels]
    points = np.arange(2 * len(tested)).reshape(-1, 2) % 7 * 1.0
    drawn = Map(points, tested.targets, [place.name for place in tested.places], range(len(tested)), "A map.")
    history = [HistoryPoint(step, part, 0.9, 0.3, 10.0) for step in (10, 20) for part in ("train", "validation")]
    return Report(
        title="Title",
        noun="chunk",
        labels=tested.labels,
        recordings=12,
        cards=[replace(card, excerpt=excerpt) for card in cards_of_chunks(tested, {})],
        card={"Classes": ", ".join(tested.labels)},
        made="2026-01-01",
        tested=tested,
        classes=classes,
        warnings=["look"],
        history=history,
        map=drawn,
        key="k",
    )


class Tags(HTMLParser):
    """Counts tags, and the addresses that are asked for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_names_are_never_taken_for_markup() -> None:
    labels = [NASTY, "\"'&amp;\x07", "plain"]
    html = page.render(report_of(results_of(labels, [0, 0, 1, 2], [0, 1, 1, 2]))).decode()
    assert Tags(html).tags.count("script") == 1
    assert NASTY not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\x07" not in html


def test_names_are_shown_as_they_are_written_and_figures_beside_them_stay_in_their_order() -> None:
    """Persian and emoji need joiners, macOS writes narrow spaces; what is written to the left is set apart."""
    persian, hebrew = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u05de\u05e7\u05d5\u05e8 2"
    labels = [persian, "👩\u200d🌾 at 10\u202fAM", hebrew]
    html = page.render(report_of(results_of(labels, [0, 0, 1, 2], [0, 2, 1, 2]))).decode()
    assert "\N{REPLACEMENT CHARACTER}" not in html
    assert f"“\u2068{persian}\u2069” was taken for “\u2068{hebrew}\u2069” once." in html
    assert f"\u2068{persian}\u2069/1" in html  # the name of a chunk
    assert labels[1] in html
    assert page.render(report_of(results_of(["a", "b"], [0, 1], [0, 1]))).decode().count("\u2068") == 0


def test_nothing_is_asked_of_the_network() -> None:
    excerpt = Excerpt(2.0, 1.0, [("1 kHz", 0.5)], b"jpg", b"mp3")
    html = page.render(report_of(results_of(["a", "b"], [0, 0, 1], [0, 1, 1]), excerpt)).decode()
    addresses = Tags(html).addresses
    assert {address.partition(":")[0] for address in addresses if not address.startswith("#")} == {"data"}
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|https?://", html)


def test_excerpts_for_which_there_is_no_room_are_left_out() -> None:
    tested = results_of(["a", "b"], [0] * 20, [1] * 20)
    html = page.render(report_of(tested, Excerpt(600.0, 1.0, [], b"\xff" * 40_000, b"\xff" * 400_000)))
    assert 2_500_000 < len(html) < 5_000_000


def test_hundreds_of_classes_still_make_a_page_of_reasonable_size() -> None:
    count = 300
    labels = [f"class {n}" for n in range(count)]
    targets = list(range(count)) * 2
    predicted = [(target + (n % 3 == 0)) % count for n, target in enumerate(targets)]
    html = page.render(report_of(results_of(labels, targets, predicted)))
    assert len(html) < 1_500_000
    assert b"These are the 20 of 300 classes that are mixed up most" in html
    # On the map the names would hide the marks, and more classes than there are marks would share them.
    assert b'class="names"' not in html
    assert b'class="legend"' not in html
    assert b"There are more classes than kinds of marks" in html
    assert all(f"({label})</title>".encode() in html for label in labels)


def test_of_more_classes_than_have_room_on_the_map_the_names_stand_under_it() -> None:
    labels, numbers = [f"class {n}" for n in range(30)], list(range(30))
    html = page.render(report_of(results_of(labels, numbers, numbers)))
    assert b'class="names"' not in html
    assert all(f"</svg> {label}</li>".encode() in html for label in labels)


def test_each_class_of_a_map_has_a_mark_of_its_own_that_differs_in_shape_from_its_neighbours() -> None:
    labels = [f"class {n}" for n in range(charts.MOST_MARKS)]
    chart = charts.map_chart(Map(np.eye(40)[:, :2], np.arange(40), labels, range(40), ""), labels)
    assert len({(entry.color, entry.shape) for entry in chart.legend}) == len(labels)
    assert len({entry.shape for entry in chart.legend[: len(charts.SHAPES)]}) == len(charts.SHAPES)


def test_a_map_of_very_many_shows_some_of_them_and_says_how_many() -> None:
    count = 5000
    tested = results_of(["a", "b", "c"], [n % 3 for n in range(count)], [n % 3 for n in range(count)])
    drawn = map_of_clips(tested)
    assert len(drawn.points) == len(drawn.names) == charts.MOST_ON_MAP
    assert drawn.caption.startswith("Of the 5,000 clips, 600 are shown. Each mark is a clip")
    assert [drawn.names[n] for n in (0, -1)] == ["a/0", "b/4999"]
    assert list(drawn.targets) == [position % 3 for position in drawn.tested]


def test_where_all_was_right_nothing_is_said_of_what_was_wrong() -> None:
    tested = results_of(["a", "b"], [0, 1], [0, 1])
    html = page.render(report_of(tested)).decode()
    assert "All that was tested is right. These chunks are the least certain." in html
    assert "leads to an example" not in html
    assert "leads to an example" in page.render(report_of(results_of(["a", "b"], [0, 1], [1, 1]))).decode()


def test_without_held_out_recordings_it_says_so() -> None:
    report = Report("T", "chunk", ["a", "b"], 0, [], {}, "2026-01-01", classes=[ClassData("a", 1, 1, 2.0)])
    assert b"no recording was held out to test on" in page.render(report)


def test_a_model_without_a_card_is_reported_on_all_the_same() -> None:
    clips = [(ClipScores("a.wav", 1.0, {"a": 0.9, "b": 0.1}), "a"), (ClipScores("b.wav", 1.0, {"a": 0, "b": 1}), "b")]
    tested, renderer = predictions_of(clips, ["a", "b"]), SpectrogramRenderer.make(PictureSettings())
    report = report_on_evaluation(Evaluation(tested, clips, [], renderer, None, []))
    assert report.card == {"Classes": "2: a, b"}
    assert "had not heard" not in page.render(report).decode()  # who knows
    assert b"on 2 clips" in page.render(report)


@pytest.mark.parametrize(
    ("right", "wrong", "grade"),
    [
        (40, 0, "Nearly always right: all 40 chunks that it had not heard were recognised (100\N{NO-BREAK SPACE}%"),
        (14, 0, "Promising, but little was tested: all 14 chunks"),
        (36, 4, "Mostly right: 36 of 40 chunks"),
        (28, 12, "More often right than wrong"),
        (21, 19, "No better than guessing"),
        (3, 0, "No better than guessing, as far as can be told"),
    ],
)
def test_the_verdict_is_no_better_than_the_figures(right: int, wrong: int, grade: str) -> None:
    """Of two classes of equal size, of which always one is guessed wrong."""
    targets = [n % 2 for n in range(right + wrong)]
    predicted = [1 - target if n >= right else target for n, target in enumerate(targets)]
    verdict = sentences.verdict(results_of(["a", "b"], targets, predicted), "chunk")
    assert verdict.startswith(grade)
    assert ("confuses most are “a” and “b”" in verdict) == (wrong > 0)


def test_it_says_which_classes_are_confused_or_come_nearest_to_it() -> None:
    mixed = results_of(["a", "b", "c"], [0, 0, 1, 2, 2], [1, 1, 0, 0, 2])
    assert sentences.confused(mixed) == [
        "“a” was taken for “b” twice, and “b” for “a” once.",
        "“c” was taken for “a” once.",
    ]
    (sentence,) = sentences.confused(results_of(["a", "b"], [0, 1], [0, 1]))
    assert sentence.startswith("No two classes were confused. “a” and “b” come nearest to it")


def test_scores_that_are_off_are_told_with_their_direction() -> None:
    targets, half = [0] * 20, [0] * 10 + [1] * 10
    assert sentences.calibration(results_of(["a", "b"], targets, targets, 0.98)).startswith(
        "The scores mean what they say"
    )
    assert sentences.calibration(results_of(["a", "b"], targets, targets, 0.6)).startswith("The scores are too modest")
    assert sentences.calibration(results_of(["a", "b"], targets, half, 0.9)).startswith("The scores are too sure")


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.001, "under 1 %"), (0.5, "50 %"), (0.9996, "99.9 %"), (1.0, "100 %")]
)
def test_no_percentage_says_all_or_none_of_what_is_not(share: float, said: str) -> None:
    assert sentences.percent(share).replace("\N{NO-BREAK SPACE}", " ") == said


def test_times_under_a_chunk_are_those_of_the_recording() -> None:
    assert [name for name, _ in charts.times_across(3600, 20)] == ["1:00:00", "1:00:10", "1:00:20"]  # they are wide
    assert charts.times_across(20, 20) == [("20 s", 0), ("25 s", 0.25), ("30 s", 0.5), ("35 s", 0.75), ("40 s", 1)]


def test_the_map_keeps_what_is_far_apart_apart() -> None:
    random = np.random.default_rng(0)
    features = np.concatenate([random.normal(0, 0.1, (10, 50)), random.normal(0, 0.1, (10, 50)) + np.eye(50)[0] * 5])
    points = charts.flat(features)
    assert points.shape == (20, 2)
    assert abs(points[:10, 0].mean() - points[10:, 0].mean()) == pytest.approx(5, abs=0.2)
    assert np.ptp(points[:, 1]) < 1


def test_names_on_the_map_are_neither_cut_off_nor_hide_each_other() -> None:
    labels = ["a class with a long name", "near", "nearer", "far"]
    points = np.array([[0.0, 0.0], [0.01, 0.0], [0.02, 0.001], [1.0, 0.5]])
    chart = charts.map_chart(Map(points, np.arange(4), labels, range(4), ""), labels)
    assert [place.name for place in chart.names] == labels
    for n, place in enumerate(chart.names):
        half = len(place.name) * charts.LETTER_WIDTH / 2
        assert half <= place.x <= charts.MAP_WIDTH - half
        assert 10 < place.y < chart.height
        for other in chart.names[:n]:
            width = (len(place.name) + len(other.name)) * charts.LETTER_WIDTH / 2
            assert abs(place.x - other.x) >= width - 0.1 or abs(place.y - other.y) >= charts.NAME_HEIGHT - 0.1


@pytest.mark.parametrize("name", ["word " * 20, "にわとり" * 20])
def test_a_long_name_on_the_map_is_shortened_and_whole_in_the_legend(name: str) -> None:
    chart = charts.map_chart(Map(np.eye(2), np.arange(2), ["x", "y"], range(2), ""), [name, "near"])
    assert chart.legend[0].name == name
    shown = chart.names[0].name
    assert (shown[:3], shown[-3:]) == (name[:3], name[-3:])
    assert columns(shown) * charts.LETTER_WIDTH < charts.MAP_WIDTH


def test_names_on_the_map_cover_no_mark_of_any_class() -> None:
    """Of twelve clouds of fifty, as a phone draws them."""
    random = np.random.default_rng(0)
    labels = [f"class {n}" for n in range(12)]
    targets = np.repeat(np.arange(12), 50)
    points = random.normal(0, 0.03, (600, 2)) + np.column_stack([targets % 4, targets // 4 * 0.9])
    chart = charts.map_chart(Map(points, targets, ["x"] * 600, range(600), ""), labels)
    assert [place.name for place in chart.names] == labels
    for place in chart.names:
        half = len(place.name) * charts.LETTER_WIDTH / 2
        covered = [m for m in chart.marks if abs(m.x - place.x) < half and abs(m.y - place.y) < charts.NAME_HEIGHT / 2]
        assert covered == [], place
        own = [m for m in chart.marks if m.of_class.name == place.name]
        assert min(np.hypot(m.x - place.x, m.y - place.y) for m in own) < 100


def test_mp3s_are_cut_where_the_sounds_end(tmp_path: Path) -> None:
    sounds = [tone(500, 1.0), tone(2000, 2.337), tone(1000, 0.4)]
    mp3s = encode_mp3s(sounds)
    assert mp3s is not None
    for sound, mp3, hz in zip(sounds, mp3s, (500, 2000, 1000), strict=True):
        path = tmp_path / f"{hz}.mp3"
        path.write_bytes(mp3)
        heard = np.concatenate(list(decode(path)))
        assert len(heard) / SAMPLE_RATE_HZ == pytest.approx(len(sound) / SAMPLE_RATE_HZ, abs=0.2)
        assert pitch_hz(heard[2000 : 2000 + len(sound) // 2]) == pytest.approx(hz, abs=5)


def test_retrain_writes_a_report_of_its_figures(twins: Path) -> None:
    description = json.loads((twins / "tf_files" / "retrained_graph.json").read_text())
    html = (twins / "tf_files" / "report.html").read_text(encoding="utf-8")
    held_out = description["training"]["held_out"]
    correct, count = round(held_out["accuracy"] * 36), sum(map(sum, held_out["confusion"]))
    assert f"{correct} of {count} chunks that it had not heard were recognised" in html
    assert "confuses most are “&lt;script&gt;alert(1)&lt;script&gt;” and “twin”" in html
    tags = Tags(html).tags
    # A recording that sounds like another class as a whole is one card.
    assert 6 < tags.count("article") <= count - correct + 6
    assert tags.count("audio") == tags.count("img") == tags.count("article")


def test_the_model_carries_its_card(twins: Path) -> None:
    card = json.loads((twins / "tf_files" / "retrained_graph.json").read_text())["card"]
    assert [data["name"] for data in card["classes"]] == ["<script>alert(1)<script>", "high", "twin"]
    assert card["classes"][1] == {"name": "high", "recordings": 4, "chunks": 12, "seconds": 10.0}
    assert card["held_out"]["chunks"] == 36
    assert card["settings"]["steps"] == 50
    assert card["versions"]["audionet"] == audionet.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", card["made"])


@pytest.mark.usefixtures("known_bottlenecks")
def test_a_report_that_is_gone_is_made_again_and_the_same_date_gives_the_same_bytes(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    report = tmp_path / "report.html"
    assert audionet.retrain(options_in(tmp_path)).report == report
    before = report.read_bytes()
    assert b"2023-11-14" in before
    assert not audionet.retrain(options_in(tmp_path)).trained
    report.unlink()
    files = options_in(tmp_path).files
    left_over = [files.by_content("0123456789abcdef"), files.graph.with_name(".audionet-0123456789abcdef.tmp")]
    for path in left_over:
        path.write_bytes(b"of a run that was killed at its end")
    assert not audionet.retrain(options_in(tmp_path, write_report=False)).trained
    assert not any(path.exists() for path in (report, *left_over))
    assert audionet.retrain(options_in(tmp_path)).trained
    assert report.read_bytes() == before


@pytest.mark.usefixtures("known_bottlenecks")
def test_warnings_of_the_data_are_printed_and_kept(
    two_classes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(two_classes / "low" / "low-0.wav", two_classes / "high" / "copy.wav")
    write_wav(two_classes / "high" / "off.wav", np.zeros(SAMPLE_RATE_HZ, np.int16))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "data_image", PictureSettings(1, 0)))
    for trained in (True, False):
        caplog.clear()
        assert audionet.retrain(options_in(tmp_path, write_report=False)).trained == trained
        assert "1 chunk is silent, in high/off.wav" in caplog.text
        assert "high/copy.wav and low/low-0.wav hold the same sound but lie in two classes" in caplog.text
    card = json.loads((tmp_path / "retrained_graph.json").read_text())["card"]
    # In between it is said that tones of 200 Hz that begin and end at once have more below 60 Hz than high ones.
    assert [warning for warning in card["warnings"] if "high/" in warning] == card["warnings"][::2]
    assert "the same way" in card["warnings"][1], card["warnings"]


def test_evaluate_writes_a_report_and_names_clips_that_were_in_the_training(twins: Path, audionet_here: Run) -> None:
    clips = twins / "clips"
    write_wav(clips / "high" / "new.wav", chirps(99, 2000, 3000, 2))
    shutil.copy(twins / "data_audio" / "twin" / "twin-0.wav", clips / "twin-0.wav")
    (clips / "twin").mkdir()
    shutil.move(clips / "twin-0.wav", clips / "twin" / "old.wav")
    finished = audionet_here("evaluate", clips, cwd=twins)
    assert finished.returncode == 0
    assert "1 of 2 clips was in the model's training" in finished.stderr
    assert "old.wav" in finished.stderr
    html = (twins / "tf_files" / "evaluation-report.html").read_text(encoding="utf-8")
    assert "on 2 clips" in html
    assert Tags(html).tags.count("img") == 2
    pictures = audionet_here("evaluate", "tf_files/data_image", cwd=twins)
    assert "clips were in the model's training" in pictures.stderr


def test_a_report_that_cannot_be_written_costs_nothing_else(twins: Path, audionet_here: Run, tmp_path: Path) -> None:
    link, clips = tmp_path / "a link", tmp_path / "clips"
    link.symlink_to(tmp_path / "nowhere")  # a file in place of a folder is said before
    (clips / "high").mkdir(parents=True)
    shutil.copy(twins / "data_audio" / "high" / "high-0.wav", clips / "high")
    finished = audionet_here("evaluate", clips, "--report", link / "page.html", cwd=twins)
    assert finished.returncode == 1
    assert f"{link / 'page.html'}: cannot be written" in finished.stderr
    assert "accuracy: " in finished.stdout


def test_colour_and_chunks_that_were_not_kept_still_make_a_report(two_classes: Path, tmp_path: Path) -> None:
    for n in range(2, 4):  # two recordings of each will do
        (two_classes / "low" / f"low-{n}.wav").unlink()
        (two_classes / "high" / f"high-{n}.wav").unlink()
    pictures = PictureSettings(1, 0, "chromagram", "viridis")
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "tf_files/data_image", pictures, keep_wav=False))
    with quick_learning():
        made = audionet.retrain(options_in(tmp_path, image_dir=tmp_path / "tf_files/data_image"))
    assert made.report == tmp_path / "report.html"
    html = made.report.read_text(encoding="utf-8")
    assert "No sound to play" in html
    assert ">C#<" in html


def test_the_card_is_read_from_a_model(twins: Path) -> None:
    from audionet.model.bundle import read_card

    files = twins / "tf_files"
    card = read_card(LabelOptions(files / "retrained_graph.pb", files / "retrained_labels.txt"))
    assert card is not None
    assert card.held_out is not None
    assert card.held_out.recordings == 12
    assert read_card(LabelOptions(files / "nothing.pb", files / "nothing.txt")) is None
