"""Talks and soundscapes made from recordings at hand, and how much of them --timeline and --events get right.

    python benchmarks/events.py talk DATA/librispeech10 --learn 6      readers in turns of 2 to 10 s
    python benchmarks/events.py calls DATA/esc10 --fold 5              calls of at most 1.5 s in rain or sea

DATA holds a folder for each class, as `prepare` takes it. The first recordings of each reader are learnt, the others
are heard; of the urban sounds, all folds but one. Scored by pyannote.metrics and sed_eval (pip install both), beside a
plain threshold on the windows' scores.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from accuracy import lay_out

import audionet
from audionet.audio.decoding import decode
from audionet.commands.label import _one
from audionet.inference.windows import Segment, Windows, WindowsJob
from audionet.model.bundle import load_model
from audionet.options import LabelOptions, PrepareOptions, RetrainOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings

CALLS = ("baby_cry", "dog_bark", "person_sneeze", "rooster")
BEDS = ("rain", "sea_waves")
CALL_SECONDS, EVERY_SECONDS = 1.5, 7.0
BED_LEVEL = 1000.0  # root mean square, of int16
COLLAR_SECONDS = 0.5
THRESHOLD = 0.5  # of the plain way

Truth = list[tuple[float, float, str]]


def sound_of(path: Path) -> np.ndarray:
    """All samples of a recording, as floats."""
    return np.concatenate(list(decode(path))).astype(float)


def train(
    folder: Path, recordings: dict[str, list[Path]], chunk_seconds: float, background: tuple[str, ...] = ()
) -> LabelOptions:
    """A model of some recordings a class, with the defaults of the commands."""
    files = folder / "tf_files"
    audionet.prepare(
        lay_out(recordings, folder / "data_audio"), PrepareOptions(files / "data_image", PictureSettings(chunk_seconds))
    )
    graph, labels = files / "retrained_graph.pb", files / "retrained_labels.txt"
    audionet.retrain(
        RetrainOptions(
            image_dir=files / "data_image",
            bottleneck_dir=files / "bottlenecks",
            summaries_dir=files / "summaries",
            model_dir=files / "models",
            output_graph=graph,
            output_labels=labels,
            background=background,
        )
    )
    return LabelOptions(graph, labels)


def make_talk(voices: dict[str, np.ndarray], turns: int, shortest: float, longest: float, seed: int) -> Any:
    """Readers in turns, none twice in a row: the samples and the truth."""
    random = np.random.default_rng(seed)
    position, parts, truth, at, last = dict.fromkeys(voices, 0), [], Truth(), 0.0, ""
    for _ in range(turns):
        last = str(random.choice([name for name in voices if name != last]))
        length = round(random.uniform(shortest, longest) * SAMPLE_RATE_HZ)
        if position[last] + length > len(voices[last]):
            position[last] = 0
        part = voices[last][position[last] : position[last] + length]
        position[last] += length
        parts.append(part)
        truth.append((at, at + len(part) / SAMPLE_RATE_HZ, last))
        at = truth[-1][1]
    return np.concatenate(parts), truth


def first_sound(samples: np.ndarray) -> np.ndarray:
    """The first stretch of a clip that is no silence, CALL_SECONDS at most."""
    size = SAMPLE_RATE_HZ // 20
    power = np.square(samples[: len(samples) // size * size]).reshape(-1, size).mean(axis=1)
    loud = np.flatnonzero(power > power.max() / 100)
    gaps = np.flatnonzero(np.diff(loud) > 6)
    last = loud[gaps[0]] if len(gaps) else loud[-1]
    return samples[loud[0] * size : min((last + 1) * size, loud[0] * size + round(CALL_SECONDS * SAMPLE_RATE_HZ))]


def make_soundscape(folder: Path, fold: int, count: int, louder_db: float, seed: int) -> Any:
    """Calls of one fold in a bed of it: the samples and the truth."""
    random = np.random.default_rng(seed)
    bed_name = str(random.choice(BEDS))
    beds = [sound_of(path) for path in sorted((folder / bed_name).glob(f"{fold}-*"))]
    bed = np.concatenate([bed * BED_LEVEL / np.sqrt(np.square(bed).mean()) for bed in beds])
    seconds = count * EVERY_SECONDS + 5
    samples = np.resize(bed, round(seconds * SAMPLE_RATE_HZ)).copy()
    clips = [(name, path) for name in CALLS for path in sorted((folder / name).glob(f"{fold}-*"))]
    truth = Truth()
    for number in range(count):
        name, path = clips[random.permutation(len(clips))[0]]
        call = first_sound(sound_of(path))
        call *= BED_LEVEL * 10 ** (louder_db / 20) / np.sqrt(np.square(call).mean())
        first = round((3 + number * EVERY_SECONDS + random.uniform(0, 2)) * SAMPLE_RATE_HZ)
        samples[first : first + len(call)] += call
        truth.append((first / SAMPLE_RATE_HZ, (first + len(call)) / SAMPLE_RATE_HZ, name))
    return samples * min(1, 30_000 / np.abs(samples).max()), truth


def by_threshold(windows: Windows, step_seconds: float, ignored: Sequence[str] = ()) -> Truth:
    """The plain way: runs of windows whose best class is the same and scores at least THRESHOLD."""
    found = Truth()
    for window in windows.windows:
        label, score = windows.best(window)
        middle = window.start_seconds + window.seconds / 2
        start, end = middle - step_seconds / 2, middle + step_seconds / 2
        if score < THRESHOLD or label in ignored:
            continue
        if found and found[-1][2] == label and found[-1][1] >= start - 1e-6:
            found[-1] = (found[-1][0], end, label)
        else:
            found.append((start, end, label))
    return found


def plain(segments: Sequence[Segment]) -> Truth:
    """Segments as the scorers want them, without unknown ones."""
    return [(s.start_seconds, s.end_seconds, s.label) for s in segments if s.label != "unknown"]


def diarisation_error(truth: Truth, found: Truth) -> float:
    """As pyannote.metrics has it, no collar; labels must be the same, since they are names."""
    from pyannote.core import Annotation
    from pyannote.core import Segment as Span
    from pyannote.metrics.identification import IdentificationErrorRate

    reference, hypothesis = Annotation(), Annotation()
    for annotation, rows in ((reference, truth), (hypothesis, found)):
        for number, (start, end, label) in enumerate(rows):
            annotation[Span(start, end), number] = label
    return float(IdentificationErrorRate()(reference, hypothesis))


def event_f1(truth: Truth, found: Truth) -> float:
    """As sed_eval has it: onset within COLLAR_SECONDS, offset within it or half of the event's length."""
    import sed_eval

    rows = [
        [{"event_onset": a, "event_offset": b, "event_label": label, "filename": "x"} for a, b, label in part]
        for part in (truth, found)
    ]
    labels = sorted({label for part in (truth, found) for *_, label in part})
    metrics = sed_eval.sound_event.EventBasedMetrics(labels, t_collar=COLLAR_SECONDS, percentage_of_length=0.5)
    metrics.evaluate(*rows)
    return float(metrics.results_overall_metrics()["f_measure"]["f_measure"] or 0)


def report_talk(options: argparse.Namespace, folder: Path) -> None:
    """Train on the first recordings of each reader, make a talk of the others, and print how it is understood."""
    readers = {path.name: sorted(path.glob("*.*")) for path in sorted(options.data.iterdir()) if path.is_dir()}
    model = train(folder, {name: paths[: options.learn] for name, paths in readers.items()}, options.chunk_seconds)
    voices = {name: np.concatenate([sound_of(p) for p in paths[options.learn :]]) for name, paths in readers.items()}
    samples, truth = make_talk(voices, options.count, options.shortest, options.longest, options.seed)
    clip = write(folder / "talk.wav", samples)
    segments = audionet.timeline(clip, model)
    times = np.arange(0, truth[-1][1], 0.01)
    right = np.array([label_at(truth, time) == label_at(plain(segments), time) for time in times]).mean()
    unknown = sum(s.end_seconds - s.start_seconds for s in segments if s.label == "unknown") / truth[-1][1]
    borders = [min(abs(s.end_seconds - end) for s in segments) for _, end, _ in truth[:-1]]
    print(f"{len(truth)} turns of {options.shortest:g} to {options.longest:g} s, {truth[-1][1]:.0f} s in all")
    print(f"right {right:.1%} of the time, unknown {unknown:.1%}; borders within {np.median(borders):.2f} s (median)")
    print(f"identification error {diarisation_error(truth, plain(segments)):.1%}")
    windows = _one(WindowsJob(load_model(model)), clip, model)
    step = windows.windows[1].start_seconds
    print(f"a plain threshold of {THRESHOLD}: {diarisation_error(truth, by_threshold(windows, step)):.1%}")


def report_calls(options: argparse.Namespace, folder: Path) -> None:
    """Train on all folds but one, and look for its calls in its rain or sea."""
    sounds = {path.name: sorted(path.glob("*.*")) for path in sorted(options.data.iterdir()) if path.is_dir()}
    learnt = {name: [p for p in paths if p.name[0] != str(options.fold)] for name, paths in sounds.items()}
    model = train(folder, learnt, options.chunk_seconds, BEDS)
    for louder_db in (0, 10, 20):
        samples, truth = make_soundscape(options.data, options.fold, options.count, louder_db, options.seed)
        clip = write(folder / "night.wav", samples)
        events = plain(audionet.events(clip, model))
        parts = [part for part in plain(audionet.timeline(clip, model)) if part[2] not in BEDS]
        windows = _one(WindowsJob(load_model(model)), clip, model)
        simple = by_threshold(windows, windows.windows[1].start_seconds, BEDS)
        scores = [f"{event_f1(truth, found):.2f}" for found in (events, parts, simple)]
        print(f"{louder_db:>2} dB: event F1 {scores[0]} (--events), {scores[1]} (--timeline), {scores[2]} (threshold)")


def label_at(rows: Truth, time: float) -> str:
    """The label at a time, or nothing."""
    return next((label for start, end, label in rows if start <= time < end), "")


def write(path: Path, samples: np.ndarray) -> Path:
    """A WAV of samples."""
    soundfile.write(path, np.rint(samples).astype(np.int16), SAMPLE_RATE_HZ)
    return path


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("talk", "calls"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--chunk-seconds", type=float, default=5.0)
    parser.add_argument("--learn", type=int, default=6, help="recordings of each reader that are learnt")
    parser.add_argument("--fold", type=int, default=5, help="that is not learnt")
    parser.add_argument("--count", type=int, default=40, help="turns or calls")
    parser.add_argument("--shortest", type=float, default=2.0)
    parser.add_argument("--longest", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (report_talk if options.what == "talk" else report_calls)(options, Path(folder))


if __name__ == "__main__":
    main()
