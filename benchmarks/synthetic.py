#!/usr/bin/env python3
"""A folder as it is when the bottlenecks of very many pictures have been made: for measuring `audionet retrain` alone.

    python benchmarks/synthetic.py FOLDER PICTURES

The pictures are stubs that no one reads, since their bottlenecks are in the cache: points about one middle for each
of 20 classes, 10 chunks a recording.
"""

import argparse
import os
import time
from hashlib import sha256
from pathlib import Path

import numpy as np

from audionet.bottleneck.backbone import load_backbone
from audionet.bottleneck.extractor import BottleneckExtractor
from audionet.dataset.digests import SETTLED_NS
from audionet.dataset.manifest import ChunkEntry, PictureIndex, RecordingEntry
from audionet.settings import PictureSettings
from audionet.spectrogram.augmentation import choose_augmentations
from audionet.spectrogram.transform import SpectrogramRenderer

CLASSES, CHUNKS_A_RECORDING = 20, 10
BLOCK = 200  # pictures whose bottlenecks are made at a time
NOISES, NOISES_A_PICTURE = 1000, 3  # what lies within the classes: sums of a few of so many vectors
DEVIATION = 3.0  # within a class, in the deviation between classes


def make(folder: Path, count: int) -> None:
    """Write tf_files/data_image and tf_files/bottlenecks into `folder`."""
    image_dir, bottleneck_dir = folder / "tf_files" / "data_image", folder / "tf_files" / "bottlenecks"
    renderer = SpectrogramRenderer.make(PictureSettings())
    backbone = load_backbone("rows", Path())
    extractor = BottleneckExtractor(backbone, renderer, bottleneck_dir, choose_augmentations(count, renderer))
    size = extractor.cache.size
    random = np.random.default_rng(0)
    middles = random.standard_normal((CLASSES, size), np.float32)
    noises = random.standard_normal((NOISES, size), np.float32) * DEVIATION / NOISES_A_PICTURE**0.5
    index, jpgs = PictureIndex(renderer), []
    long_ago_ns = time.time_ns() - 2 * SETTLED_NS
    for number in range(0, count, CHUNKS_A_RECORDING):
        class_name = f"class-{number // CHUNKS_A_RECORDING % CLASSES:02d}"
        stem, seconds, chunks = f"recording-{number:06d}", renderer.settings.chunk_seconds, []
        for n in range(min(CHUNKS_A_RECORDING, count - number)):
            name = f"{class_name}/{stem}_nohash_{n:04d}"
            path = image_dir / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, ns=(long_ago_ns, long_ago_ns))
            jpgs.append((path, number // CHUNKS_A_RECORDING % CLASSES))
            chunks.append(ChunkEntry(name, n * seconds, seconds, None, None, None, None))
        index.recordings[f"{class_name}/{stem}.mp3"] = RecordingEntry(
            1, 1, sha256(stem.encode()).hexdigest(), tuple(chunks), None, None
        )
    index.save(image_dir)
    for start in range(0, count, BLOCK):
        block = jpgs[start : start + BLOCK]
        keys = [(key, number) for path, number in block for key in extractor.keys(sha256(path.read_bytes()).digest())]
        features = middles[[number for _, number in keys]]
        for _ in range(NOISES_A_PICTURE):
            features += noises[random.integers(0, NOISES, len(keys))]
        named = [key for key, _ in keys]
        extractor.cache.append(list(zip(named, features.astype(np.float16), strict=True)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", type=int)
    options = parser.parse_args()
    make(options.folder, options.pictures)
