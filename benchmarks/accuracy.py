#!/usr/bin/env python3
"""Accuracy on the protocols: this tool's defaults beside the classic bottleneck and two plain rivals.

    python benchmarks/accuracy.py --data ../shared/data                  P1 to P4, and strangers in P1, P3 and P4
    python benchmarks/accuracy.py --data ../shared/data --packages DIR   and sets from Debian packages, kept in DIR
    python benchmarks/accuracy.py --data ../shared/data --only P2 --seeds 1

Each protocol runs through `prepare`, `retrain` and `evaluate` as they are; P4, which comes in folds of its authors',
through `prepare` and `retrain --folds`. Only --chunk-seconds is set, to what the
clips' length asks for. A clip counts once. The rivals are statistics of MFCCs and of log-mel bands over the same
chunks, independent of loudness, with scikit-learn's logistic regression on standardised features.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import fftconvolve

import audionet
from audionet import LabelOptions, PictureSettings, PrepareOptions, RetrainOptions
from audionet.audio.chunks import cut
from audionet.audio.decoding import decode
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.evaluation.confusion import wilson_interval
from audionet.inference.clips import ClipScores
from audionet.settings import FULL_SCALE, OWN_FOLDS, SAMPLE_RATE_HZ

ROOT = Path(__file__).resolve().parent.parent
POOL_3 = ROOT / "tf_files" / "models" / "inception_v3_pool_3.tflite"
STRANGERS, ROTATIONS = 0.3, 5  # the share of the classes that is left out, and how often
FIFTH_FOLD = "P4-fold-5"

Clips = dict[str, list[Path]]  # class -> files
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass
class Protocol:
    """What to train on and what to test on, by class."""

    name: str
    about: str
    chunk_seconds: float
    train: Clips = field(default_factory=dict)
    test: Clips = field(default_factory=dict)

    def add(self, path: Path, class_name: str, is_train: bool) -> None:
        """Put a file on one of the sides."""
        (self.train if is_train else self.test).setdefault(class_name, []).append(path)


def protocols(data: Path, packages: Path | None) -> list[Protocol]:
    """Those whose recordings are there."""
    p1 = Protocol("P1", "10 readers, trained on one utterance each", 2)
    for path in sorted((data / "librispeech10").glob("*/*.mp3")):
        p1.add(path, path.parent.name, path.stem.endswith("-0000"))
    p2 = Protocol("P2", "10 spoken digits, voices unheard in training", 1)
    p3 = Protocol("P3", "6 speakers, words unheard in training", 1)
    for path in sorted((data / "spoken_digits").glob("*/*.wav")):
        digit, speaker, _ = path.stem.split("_")
        p2.add(path, digit, speaker not in ("jackson", "theo"))
        p3.add(path, speaker, int(digit) < 5)
    return [p1, p2, p3, *(package_protocols(packages) if packages else [])]


# What an instrument's sample is called, in the kits where the file names say it.
INSTRUMENTS = {
    "kick": r"kick|\bbd|bass ?drum|_bd",
    "snare": r"snare|snr|\bsd",
    "hat": r"hat|\bhh",
    "tom": r"tom",
    "cymbal": r"crash|ride|cymbal|splash|china",
}
# The others are tested on. The Millo kits share samples, so they stay together.
TRAINING_KITS = (
    "Audiophob",
    "ColomboAcousticDrumkit",
    "ElectricEmpireKit",
    "Millo-Drums_v.1",
    "Millo_MultiLayered2",
    "Millo_MultiLayered3",
    "The Black Pearl 1.0",
)
KLETTRES_LANGUAGES = "cs da de en en_GB es fr he hu it lt ml nds nl pt_BR ru tn uk".split()


def package_protocols(folder: Path) -> list[Protocol]:
    """Sets from Debian packages, fetched and unpacked into `folder` if they are not there."""
    for package in ("klettres-data", "hydrogen-drumkits", "sonic-pi-samples"):
        if not (folder / package).is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            archive = next(folder.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
    letters = Protocol("klettres", "18 languages' voices, trained on letters, tested on syllables", 1)
    for language in KLETTRES_LANGUAGES:
        for path in sorted((folder / "klettres-data" / "usr/share/klettres" / language).glob("*/*.ogg")):
            letters.add(path, language, path.parent.name == "alpha")
    drums = Protocol("drumkits", "5 drums, kits unheard in training", 1)
    kits = folder / "hydrogen-drumkits" / "usr/share/hydrogen/data/drumkits"
    for path in sorted(path for path in kits.glob("*/*") if path.suffix in (".wav", ".flac", ".aiff")):
        named = [name for name, pattern in INSTRUMENTS.items() if re.search(pattern, path.stem.lower())]
        if len(named) == 1 and long_enough(path):
            drums.add(path, named[0], path.parent.name in TRAINING_KITS)
    samples = Protocol("sonic-pi", "families of samples, every other file to test", 2)
    families: Clips = {}
    for path in sorted((folder / "sonic-pi-samples").rglob("*.flac")):
        families.setdefault(path.stem.split("_")[0], []).append(path)
    for family, paths in families.items():
        usable = [path for path in paths if long_enough(path)]
        if len(usable) >= 8:
            for number, path in enumerate(usable):
                samples.add(path, family, number % 2 == 0)
    return [letters, drums, samples]


def long_enough(path: Path) -> bool:
    """Whether a file can be read and has a tenth of a second."""
    try:
        return sum(map(len, decode(path))) >= 0.1 * SAMPLE_RATE_HZ
    except audionet.AudionetError:
        return False


def lay_out(clips: Clips, folder: Path) -> Path:
    """A folder a class, with links to the files; once it is there, it stays as it is."""
    for class_name, paths in clips.items() if not folder.is_dir() else ():
        (folder / class_name).mkdir(parents=True)
        for number, path in enumerate(paths):
            (folder / class_name / f"{number:03d}-{path.name}").symlink_to(path.resolve())
    return folder


def urban_sounds(data: Path) -> Protocol:
    """ESC-10, all clips: in what its authors call folds, which the files' names begin with."""
    p4 = Protocol("P4", "10 urban sounds, the five folds of their authors", 5)
    for path in sorted((data / "esc10").glob("*/*.ogg")):
        p4.add(path, path.parent.name, True)
    return p4


def fold_and_source(path: Path) -> tuple[int, str]:
    """The fold of a clip of ESC-10, from 1, and the recording on Freesound that it was cut from."""
    fold, source, _ = path.stem.split("-")
    return int(fold), source


def with_fold_held_out(urban: Protocol, fold: int, name: str) -> Protocol:
    """ESC-10 with one fold to test and the others to learn from."""
    protocol = Protocol(name, f"fold {fold} of P4, learnt from the others", urban.chunk_seconds)
    for class_name, paths in urban.train.items():
        for path in paths:
            protocol.add(path, class_name, fold_and_source(path)[0] != fold)
    return protocol


def print_row(
    protocol: Protocol,
    name: str,
    accuracies: list[float],
    interval: tuple[float, float],
    errors: Sequence[float] = (),
    unknown: Sequence[float] = (),
) -> None:
    """Print the line of the table: figures of one run or of several, and what was not measured left empty."""
    spread = f" +- {statistics.pstdev(accuracies):.3f}" if len(accuracies) > 1 else ""
    cells = [f"{statistics.mean(accuracies):.3f}{spread}", f"{interval[0]:.3f} to {interval[1]:.3f}"]
    cells += [f"{statistics.mean(figures):.3f}" if figures else "" for figures in (errors, unknown)]
    print(f"| {protocol.name} | {name} | {' | '.join(cells)} |", flush=True)


def training_in(folder: Path, name: str, **options: Any) -> RetrainOptions:
    """The options of a training on the pictures in a folder, whose model is called so."""
    return RetrainOptions(
        image_dir=folder / "data_image",
        model_dir=POOL_3.parent,
        summaries_dir=folder / "summaries" / name,
        output_graph=folder / f"{name}.pb",
        output_labels=folder / f"{name}.txt",
        **({"bottleneck_dir": folder / "bottlenecks"} | options),
    )


def run_tool(protocol: Protocol, folder: Path, bottleneck: str, seeds: int, robustness: bool) -> None:
    """Prepare once, then train and evaluate with each seed; print the line of the table."""
    pictures = PictureSettings(chunk_seconds=protocol.chunk_seconds)
    audionet.prepare(lay_out(protocol.train, folder / "train"), PrepareOptions(folder / "data_image", pictures))
    test = lay_out(protocol.test, folder / "test")
    models, found = [], []
    for seed in range(seeds):
        options = training_in(folder, f"{bottleneck}-{seed}", bottleneck=bottleneck, seed=seed)
        audionet.retrain(options)
        models.append(LabelOptions(options.output_graph, options.output_labels))
        found.append(audionet.evaluate(test, models[-1]))
    print_row(
        protocol,
        bottleneck,
        [each.confusion.accuracy for each in found],
        found[-1].confusion.interval,
        [each.calibration_error for each in found],
        [len(each.unknown) / each.confusion.count for each in found],
    )
    if robustness:
        before = {clip_key(clip): clip.best for clip, _ in found[0].clips}
        telephone = ["-af", "highpass=f=300,lowpass=f=3400", "-ar", "8000", "-c:a", "pcm_mulaw"]
        changed = {
            "12 dB quieter": reencode(test, folder / "quieter", ".wav", ["-af", "volume=-12dB"]),
            "32 kbit/s MP3": reencode(test, folder / "mp3", ".mp3", ["-c:a", "libmp3lame", "-b:a", "32k"]),
            "telephone": reencode(test, folder / "telephone", ".wav", telephone),
        } | {kind.__name__.replace("_", " "): change(test, folder / kind.__name__, kind) for kind in CHANGES}
        for name, clips in changed.items():
            after = {clip_key(clip): clip.best for clip in audionet.label(clips, models[0])}
            kept = statistics.mean(after[clip] == label for clip, label in before.items())
            print(f"{protocol.name}: {name}: {kept:.1%} of {len(before)} clips keep their label", flush=True)


def run_tool_in_folds(protocol: Protocol, folder: Path, bottleneck: str, seeds: int, held_out: list[int]) -> None:
    """Prepare once with the folds in a table; train with each seed; print the line of the table.

    held_out: the folds that are counted, from 1; the others are learnt from throughout.
    """
    recordings = lay_out(protocol.train, folder / "train")
    table = folder / "folds.csv"
    lines = ["path,label,fold,group"]
    for path in sorted(recordings.glob("*/*")):
        fold, source = fold_and_source(path.with_name(path.name.partition("-")[2]))
        lines.append(f"{path.relative_to(recordings).as_posix()},{path.parent.name},{fold},{source}")
    table.write_text("\n".join(lines), encoding="utf-8")
    pictures = PictureSettings(chunk_seconds=protocol.chunk_seconds, overlap_seconds=0)
    audionet.prepare(recordings, PrepareOptions(folder / "data_image", pictures, metadata=table))
    accuracies, errors = [], []
    for seed in range(seeds):
        in_folds = {"seed": seed, "folds": OWN_FOLDS, "write_report": False}
        report = audionet.retrain(training_in(folder, f"{bottleneck}-{seed}", bottleneck=bottleneck, **in_folds))
        assert report.held_out is not None
        accuracies.append(statistics.mean(report.held_out.fold_accuracies[fold - 1] for fold in held_out))
        errors.append(report.held_out.calibration_error)
    count = sum(fold_and_source(path)[0] in held_out for paths in protocol.train.values() for path in paths)
    print_row(protocol, bottleneck, accuracies, wilson_interval(round(accuracies[-1] * count), count), errors)


def clip_key(clip: ClipScores) -> str:
    """The clip's class and name without suffix."""
    path = Path(clip.clip)
    return f"{path.parent.name}/{path.stem}"


def reencode(source: Path, folder: Path, suffix: str, arguments: list[str]) -> Path:
    """Every file below `source`, through ffmpeg, into the same places below `folder`."""
    for path in sorted(source.glob("*/*")):
        output = (folder / path.parent.name / path.name).with_suffix(suffix)
        output.parent.mkdir(parents=True, exist_ok=True)
        command = [find_ffmpeg(), "-v", "error", "-y", "-i", str(path), *arguments, str(output)]
        subprocess.run(command, check=True)
    return folder


def change(source: Path, folder: Path, changed: Change) -> Path:
    """Every file below `source`, with its samples changed, as WAVs in the same places below `folder`."""
    random = np.random.default_rng(0)
    for path in sorted(source.glob("*/*")):
        samples = changed(np.concatenate(list(decode(path))).astype(float), random)
        output = (folder / path.parent.name / path.name).with_suffix(".wav")
        output.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(output, samples / FULL_SCALE, SAMPLE_RATE_HZ)
    return folder


def noise(samples: np.ndarray, random: np.random.Generator, weigh: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Noise as long and as loud as samples. weigh: how strong it is at each frequency, in Hz."""
    spectrum = np.fft.rfft(random.normal(size=len(samples)))
    made = np.fft.irfft(spectrum * weigh(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)), len(samples))
    return np.asarray(made * np.sqrt(np.mean(np.square(samples))) / made.std())


def in_white_noise(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """In noise 20 dB below, equally strong at all frequencies."""
    return np.asarray(samples + 0.1 * noise(samples, random, np.ones_like))


def in_pink_noise(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """In noise 20 dB below, whose power falls with the frequency."""
    return np.asarray(samples + 0.1 * noise(samples, random, lambda hz: 1 / np.sqrt(np.maximum(hz, hz[1]))))


def in_wind(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """In noise as loud as it, most of it below 150 Hz."""
    return np.asarray(samples + noise(samples, random, lambda hz: 1 / np.sqrt(1 + (hz / 150) ** 8)))


def in_hall(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """With echoes that die away by 60 dB in a second, as loud as it in all."""
    echoes = random.normal(size=SAMPLE_RATE_HZ) * 10 ** (-3 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    echoes[0] = np.sqrt(np.square(echoes[1:]).sum())
    return np.asarray(fftconvolve(samples, echoes / (2 * echoes[0]))[: len(samples)])


def clipped(samples: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Four times as loud as it could be held."""
    return np.asarray((samples * (4 * FULL_SCALE / max(np.abs(samples).max(), 1))).clip(-FULL_SCALE, FULL_SCALE - 1))


CHANGES: tuple[Change, ...] = (in_white_noise, in_pink_noise, in_wind, in_hall, clipped)


def run_rival(name: str, turns: Sequence[Protocol]) -> None:
    """Train and test a rival, with each fold in turn where there are some; print the line of the table."""
    shares = [share_right(turn, RIVALS[name]) for turn in turns]
    right, count = (sum(numbers) for numbers in zip(*shares, strict=True))
    print_row(turns[0], name, [right / count], wilson_interval(right, count))


def share_right(protocol: Protocol, statistics_of: Callable[[np.ndarray], np.ndarray]) -> tuple[int, int]:
    """How many of a rival's answers are right, and of how many; a clip's chunks vote by their summed probabilities."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    settings = PictureSettings(chunk_seconds=protocol.chunk_seconds)

    def features(path: Path) -> np.ndarray:
        return np.stack(
            [statistics_of(chunk.samples / np.float32(FULL_SCALE)) for chunk in cut(decode(path), settings)]
        )

    train = [(features(path), label) for label, paths in protocol.train.items() for path in paths]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    model.fit(np.concatenate([x for x, _ in train]), [label for x, label in train for _ in x])
    classes = list(model.classes_)
    is_right = [
        classes[model.predict_proba(features(path)).sum(axis=0).argmax()] == label
        for label, paths in protocol.test.items()
        for path in paths
    ]
    return sum(is_right), len(is_right)


def mfcc_statistics(samples: np.ndarray) -> np.ndarray:
    """Mean and deviation of 20 MFCCs, without the mean of the first, which is loudness."""
    from librosa.feature import mfcc

    found = mfcc(y=samples, sr=SAMPLE_RATE_HZ, n_mfcc=20, n_fft=512, hop_length=160)
    return np.concatenate([found.mean(axis=1)[1:], found.std(axis=1)])


def log_mel_statistics(samples: np.ndarray) -> np.ndarray:
    """Mean and deviation of 64 mel bands in decibels below the loudest point, down to 80."""
    from librosa import power_to_db
    from librosa.feature import melspectrogram

    power = melspectrogram(y=samples, sr=SAMPLE_RATE_HZ, n_mels=64, n_fft=1024, hop_length=160)
    found = power_to_db(power, ref=np.max, top_db=80)
    return np.concatenate([found.mean(axis=1), found.std(axis=1)])


RIVALS = {"MFCC": mfcc_statistics, "log-mel": log_mel_statistics}
FEATURES = ("rows", "pool_3", *RIVALS)


def run_strangers(protocol: Protocol, folder: Path) -> None:
    """Leave some classes out of the training, in turn: are their clips less typical, do they score lower?"""
    from sklearn.metrics import roc_auc_score

    names = sorted(protocol.train)
    called: dict[bool, list[float]] = {True: [], False: []}  # the shares called unknown, by whether they are known
    areas: dict[str, list[float]] = {"typicality": [], "score": []}
    count = round(STRANGERS * len(names))
    for rotation in range(ROTATIONS):
        strangers = {names[(rotation * len(names) // ROTATIONS + n) % len(names)] for n in range(count)}
        here = folder / f"rotation-{rotation}"
        known = {name: paths for name, paths in protocol.train.items() if name not in strangers}
        pictures = PictureSettings(chunk_seconds=protocol.chunk_seconds)
        audionet.prepare(lay_out(known, here / "train"), PrepareOptions(here / "data_image", pictures))
        options = training_in(here, "graph", bottleneck_dir=folder / "bottlenecks")
        audionet.retrain(options)
        model = LabelOptions(options.output_graph, options.output_labels)
        clips = audionet.label(lay_out(protocol.test, here / "test"), model)
        is_known = [Path(clip.clip).parent.name not in strangers for clip in clips]
        typical = [clip.typicality for clip in clips if clip.typicality is not None]
        if len(typical) == len(clips):  # it is not learnt from one recording of a class
            areas["typicality"].append(roc_auc_score(is_known, typical))
        areas["score"].append(roc_auc_score(is_known, [clip.score for clip in clips]))
        for side, shares in called.items():
            shares.append(
                statistics.mean(clip.is_unknown for clip, known in zip(clips, is_known, strict=True) if known is side)
            )
    by = (f"{statistics.mean(a):.3f} ({min(a):.3f} to {max(a):.3f}) by {name}" for name, a in areas.items() if a)
    print(
        f"{protocol.name}: strangers: area under the ROC {', '.join(by)}; called unknown: "
        f"{statistics.mean(called[False]):.1%} of strangers, {statistics.mean(called[True]):.1%} of the known",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with librispeech10 and spoken_digits")
    parser.add_argument("--packages", type=Path, help="folder for sets from Debian packages; fetched if not there")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="protocols to run; `strangers` is one")
    parser.add_argument("--features", nargs="+", choices=FEATURES, default=FEATURES, help="lines of the table")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--hold-out",
        nargs="+",
        type=int,
        choices=range(1, 6),
        default=[1, 2, 3, 4, 5],
        help="folds of P4 that are counted: 1 2 3 to develop on, all for the figure",
    )
    options = parser.parse_args()
    chosen = protocols(options.data, options.packages)
    if not POOL_3.is_file() and shutil.which("npm"):
        script = ROOT / "scripts" / "make_trunk.py"
        subprocess.run([sys.executable, script, "--bottleneck", "pool_3", "--output", POOL_3], check=True)
    print("| protocol | features | accuracy | 95 % interval of one run | calibration error | called unknown |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="audionet-") as name:
        for protocol in chosen:
            if options.only and protocol.name not in options.only:
                continue
            folder = Path(name) / protocol.name
            if "rows" in options.features:
                run_tool(protocol, folder, "rows", options.seeds, robustness=protocol.name in ("P1", "P2", "P3"))
            if "pool_3" in options.features and POOL_3.is_file():
                run_tool(protocol, folder, "pool_3", options.seeds, robustness=False)
            for rival in sorted(RIVALS.keys() & set(options.features)):
                run_rival(rival, [protocol])
        urban = urban_sounds(options.data)
        if urban.train and (not options.only or urban.name in options.only):
            folder = Path(name) / urban.name
            for bottleneck in ("rows", "pool_3"):
                if bottleneck in options.features and (bottleneck == "rows" or POOL_3.is_file()):
                    run_tool_in_folds(urban, folder, bottleneck, options.seeds, options.hold_out)
            for rival in sorted(RIVALS.keys() & set(options.features)):
                run_rival(rival, [with_fold_held_out(urban, fold, urban.name) for fold in options.hold_out])
        fifth_fold = with_fold_held_out(urban, 5, FIFTH_FOLD)
        if not options.only or FIFTH_FOLD in options.only:
            run_tool(fifth_fold, Path(name) / FIFTH_FOLD, "rows", options.seeds, robustness=True)
        if not options.only or "strangers" in options.only:
            by_name = {protocol.name: protocol for protocol in (*chosen, fifth_fold)}
            for protocol in (by_name["P1"], by_name["P3"], by_name[FIFTH_FOLD]):
                run_strangers(protocol, Path(name) / "strangers" / protocol.name)


if __name__ == "__main__":
    main()
