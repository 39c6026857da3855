#!/usr/bin/env python3
"""Make the pictures in docs/: what the program does, with its own pictures, bottlenecks and scores.

    make pictures                                the demo, then this
    python scripts/make_pictures.py [TF_FILES]   with the model and the pictures that the demo made there

from_sound_to_scores.png: held-out clips of the sample voices, their sound, their pictures, their scores.
how_it_works.png: one of them on its way through the trunk and the layer, beside the pictures learnt from.
"""

import io
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from librosa import mel_frequencies
from PIL import Image

from audionet import label
from audionet.audio.chunks import read_chunks
from audionet.audio.decoding import decode
from audionet.bottleneck.backbone import Network, load_backbone
from audionet.dataset.folders import find_pictures
from audionet.dataset.names import split_chunk_name
from audionet.options import LabelOptions
from audionet.settings import FULL_SCALE, PICTURE_SIZE, SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.lda import LinearDiscriminant, SufficientStatistics
from audionet.training.subspace import SampleSubspace

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ("allison", "carlo", "june", "paola")
SHOWN_SECONDS = 10.0
HELD_OUT = ("-04", "-05")  # recordings of a voice that show what the layer learnt from the others
TICKS_HZ = (250, 1000, 4000)
INK, ACCENT, PALE = "#334155", "#2563eb", "#cbd5e1"
COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea")
# The blocks of a bottleneck, as scripts/make_trunk.py lays them out: what they are, and their rows x channels.
BLOCKS = (
    ("block mixed2, mean over time", (35, 288)),
    ("block mixed3, mean over time", (17, 768)),
    ("block mixed3, deviation over time", (17, 768)),
)
USED = ("filters", "mixed0", "mixed1", "mixed2", "mixed3")
UNUSED = ("mixed4", "mixed5", "...", "mixed10", "objects")


def main(tf_files: Path) -> None:
    plt.rcParams.update({"font.size": 9, "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK})
    model = LabelOptions(tf_files / "retrained_graph.pb", tf_files / "retrained_labels.txt")
    save(from_sound_to_scores(model), ROOT / "docs" / "from_sound_to_scores.png")
    save(how_it_works(model, tf_files / "data_image"), ROOT / "docs" / "how_it_works.png")


def save(figure: Any, path: Path) -> None:
    """As a PNG of few colours, which is a third as large."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=110)
    Image.open(drawn).convert("RGB").quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    plt.close(figure)


def from_sound_to_scores(model: LabelOptions) -> Any:
    renderer = SpectrogramRenderer.make(PictureSettings(chunk_seconds=SHOWN_SECONDS))
    figure, axes = plt.subplots(
        len(CLIPS), 3, figsize=(9, 6.4), width_ratios=(3, 3, 2), layout="constrained", squeeze=False
    )
    for (sound, picture, scores), voice in zip(axes, CLIPS, strict=True):
        samples = np.concatenate(list(decode(clip(voice))))[: round(SHOWN_SECONDS * SAMPLE_RATE_HZ)]
        sound.plot(np.arange(len(samples)) / SAMPLE_RATE_HZ, samples / FULL_SCALE, color=INK, linewidth=0.3)
        sound.set(xlim=(0, SHOWN_SECONDS), ylim=(-1, 1), yticks=[], ylabel=f"{voice}'s voice")
        show_picture(picture, renderer.render(samples), SHOWN_SECONDS)
        show_scores(scores, voice, model)
    for column, title in zip(axes[0], ("the sound", "its picture", "the scores"), strict=True):
        column.set_title(title, color=INK)
    for column in axes[-1][:2]:
        column.set_xlabel("seconds")
    return figure


def how_it_works(model: LabelOptions, image_dir: Path) -> Any:
    """A clip's first chunk as a picture, the trunk, the rows of its bottleneck, the layer's directions, the scores."""
    figure = plt.figure(figsize=(9, 8.2), layout="constrained")
    grid = figure.add_gridspec(4, 6, height_ratios=(3, 0.8, 2.4, 3.4))
    voice = CLIPS[2]
    renderer = SpectrogramRenderer.make(PictureSettings())
    chunk = next(read_chunks(clip(voice), renderer.settings))
    jpg, _ = pictures.decode(pictures.draw(chunk, renderer), clip(voice))

    axes = figure.add_subplot(grid[0, :])
    show_picture(axes, jpg, renderer.settings.chunk_seconds)
    axes.set_title(f"1. The picture: a clip of {chunk.seconds:.0f} seconds, repeated until 20 are full", loc="left")
    axes.set_xlabel("seconds")

    show_trunk(figure.add_subplot(grid[1, :]))

    backbone = Network(load_backbone("rows", Path()).flatbuffer)
    bottleneck = run(backbone, jpg)
    start = 0
    for number, (name, (rows, channels)) in enumerate(BLOCKS):
        axes = figure.add_subplot(grid[2, 2 * number : 2 * number + 2])
        block = bottleneck[start : start + rows * channels].reshape(rows, channels)
        start += rows * channels
        limit = float(np.quantile(abs(block), 0.99))
        axes.imshow(block, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
        axes.set(yticks=[0, rows - 1], yticklabels=["high", "low"], xlabel=f"{channels} channels")
        axes.set_title(("3. The rows. " if not number else "") + name, loc="left", fontsize=8)

    show_directions(figure.add_subplot(grid[3, :4]), backbone, image_dir, bottleneck, voice)
    axes = figure.add_subplot(grid[3, 4:])
    show_scores(axes, voice, model)
    axes.set_title("5. Scores", loc="left")
    return figure


def clip(voice: str) -> Path:
    return ROOT / "tf_files" / "test_audio" / voice / f"{voice}-clip-1.mp3"


def run(backbone: Network, picture: np.ndarray) -> np.ndarray:
    """The bottleneck of a picture, flat."""
    return backbone.run(picture)[0].ravel()


def show_picture(axes: Any, picture: np.ndarray, seconds: float) -> None:
    """A chunk's picture, with the mel scale's frequencies."""
    axes.imshow(picture, cmap="gray", aspect="auto", extent=(0, seconds, 0, PICTURE_SIZE))
    centres_hz = mel_frequencies(PICTURE_SIZE, fmin=0, fmax=SAMPLE_RATE_HZ / 2)
    rows = [float(np.interp(tick, centres_hz, np.arange(PICTURE_SIZE))) for tick in TICKS_HZ]
    axes.set_yticks(rows, [f"{tick / 1000:g} kHz" for tick in TICKS_HZ])


def show_scores(axes: Any, voice: str, model: LabelOptions) -> None:
    """A bar a class, the best one in colour."""
    (scores,) = label(clip(voice), model)
    labels = sorted(scores.scores, reverse=True)
    colours = [ACCENT if name == scores.label else PALE for name in labels]
    bars = axes.barh(labels, [scores.scores[name] for name in labels], color=colours)
    axes.bar_label(bars, [f"{scores.scores[name]:.2f}" for name in labels], padding=3)
    axes.set(xlim=(0, 1.25), xticks=[])
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def show_trunk(axes: Any) -> None:
    """The blocks of Inception v3: those that AudioNet has, and those that it leaves out."""
    axes.set_title("2. The trunk: Inception v3, up to where it still sees textures, not objects", loc="left")
    for place, name in enumerate(USED + UNUSED):
        used = name in USED
        style = {"fc": "#dbeafe" if used else "white", "ec": ACCENT if used else PALE, "boxstyle": "round,pad=0.3"}
        arrow = {"arrowstyle": "<-", "color": ACCENT if used else PALE}
        axes.text(place, 0, name, ha="center", va="center", bbox=style, color=INK if used else "#94a3b8", fontsize=8)
        if place:
            axes.annotate("", (place - 0.6, 0), (place - 0.4, 0), arrowprops=arrow)
    axes.set(xlim=(-0.6, len(USED + UNUSED) - 0.4), ylim=(-1, 1))
    axes.axis("off")


def show_directions(axes: Any, backbone: Network, image_dir: Path, bottleneck: np.ndarray, voice: str) -> None:
    """Where recordings lie that are not learnt from, along the two directions in which the scores differ most."""
    files = find_pictures(image_dir)
    features = np.array([run(backbone, pictures.decode(path.read_bytes(), path)[0]) for _, _, path in files])
    targets = np.array([CLIPS.index(class_name) for class_name, _, _ in files])
    held_out = np.array([split_chunk_name(stem)[0].endswith(HELD_OUT) for _, stem, _ in files])
    span = SampleSubspace(features[~held_out].astype(np.float16))
    statistics = SufficientStatistics.of(span.coordinates, targets[~held_out], len(CLIPS))
    layer = span.discriminant_of_features(LinearDiscriminant.of(statistics, span.shrinkage))
    scores = features @ layer.weights + layer.biases
    centroid = scores.mean(axis=0)
    directions = np.linalg.svd(scores - centroid, full_matrices=False)[2][:2].T
    for number, name in enumerate(CLIPS):
        x, y = ((scores[held_out & (targets == number)] - centroid) @ directions).T
        axes.scatter(x, y, s=14, color=COLOURS[number], label=f"{name}, not learnt from")
    x, y = (bottleneck @ layer.weights + layer.biases - centroid) @ directions
    axes.scatter([x], [y], s=160, marker="*", color=INK, label=f"the clip ({voice}'s)")
    axes.set(xticks=[], yticks=[])
    axes.set_title("4. The layer: along its directions, the voices lie apart", loc="left")
    axes.legend(fontsize=8, frameon=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tf_files")
