#!/usr/bin/env python3
"""Make docs/from_sound_to_scores.png: what the program does, with its own pictures and scores.

    make demo && python scripts/make_readme_picture.py

Each row is a held-out clip of the sample voices: its sound, its picture, and the scores that the demo's model gives.
"""

from pathlib import Path

import matplotlib
import numpy as np
from librosa import mel_frequencies

from audionet import label
from audionet.ffmpeg import decode
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, LabelOptions, PictureSettings
from audionet.spectrogram import Painter

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ("allison", "carlo", "june", "paola")
MODEL = LabelOptions(ROOT / "tf_files" / "retrained_graph.pb", ROOT / "tf_files" / "retrained_labels.txt")
SHOWN_SECONDS = 10.0
TICKS_HZ = (250, 1000, 4000)
INK, ACCENT = "#334155", "#2563eb"


def main() -> None:
    painter = Painter.make(PictureSettings(chunk_seconds=SHOWN_SECONDS))
    centres_hz = mel_frequencies(PICTURE_SIZE, fmin=0, fmax=SAMPLE_RATE_HZ / 2)
    plt.rcParams.update({"font.size": 9, "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK})
    figure, axes = plt.subplots(
        len(CLIPS), 3, figsize=(9, 6.4), width_ratios=(3, 3, 2), layout="constrained", squeeze=False
    )
    for (sound, picture, scores), voice in zip(axes, CLIPS, strict=True):
        path = ROOT / "tf_files" / "test_audio" / voice / f"{voice}-clip-1.mp3"
        samples = np.concatenate(list(decode(path)))[: round(SHOWN_SECONDS * SAMPLE_RATE_HZ)]
        sound.plot(np.arange(len(samples)) / SAMPLE_RATE_HZ, samples / 32768, color=INK, linewidth=0.3)
        sound.set(xlim=(0, SHOWN_SECONDS), ylim=(-1, 1), yticks=[], ylabel=f"{voice}'s voice")
        picture.imshow(painter.paint(samples), cmap="gray", aspect="auto", extent=(0, SHOWN_SECONDS, 0, PICTURE_SIZE))
        rows = [float(np.interp(tick, centres_hz, np.arange(PICTURE_SIZE))) for tick in TICKS_HZ]
        picture.set_yticks(rows, [f"{tick / 1000:g} kHz" for tick in TICKS_HZ])
        (clip,) = label(path, MODEL)
        labels = sorted(clip.scores, reverse=True)
        bars = scores.barh(
            labels, [clip.scores[k] for k in labels], color=[ACCENT if k == clip.label else "#cbd5e1" for k in labels]
        )
        scores.bar_label(bars, [f"{clip.scores[k]:.2f}" for k in labels], padding=3)
        scores.set(xlim=(0, 1.25), xticks=[])
        scores.spines[["top", "right", "bottom"]].set_visible(False)
    for column, title in zip(axes[0], ("the sound", "its picture", "the scores"), strict=True):
        column.set_title(title, color=INK)
    for column in axes[-1][:2]:
        column.set_xlabel("seconds")
    figure.savefig(ROOT / "docs" / "from_sound_to_scores.png", dpi=110)


if __name__ == "__main__":
    main()
