"""The samples of a folder of pictures: what stays together."""

import shutil
from pathlib import Path

import numpy as np

import audionet
from audionet.dataset.manifest import PictureIndex
from audionet.dataset.samples import PictureFolder, Sample, load_pictures, with_a_say
from audionet.options import PrepareOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.grouping import grouped
from tests.conftest import chirps, sample_of, write_wav


def test_groups_that_hold_copies_of_one_recording_are_one(tmp_path: Path) -> None:
    data, rows = tmp_path / "data", ["path,label,group"]
    for number, group in enumerate(("may", "may", "june", "july", "july")):
        write_wav(data / f"{number}.wav", chirps(number, 200, 400, 1))
        rows.append(f"{number}.wav,{'owl' if number % 2 else 'wren'},{group}")
    shutil.copy(data / "0.wav", data / "copy.wav")
    write_wav(data / "silent.wav", np.zeros(SAMPLE_RATE_HZ, np.int16))
    shutil.copy(data / "silent.wav", data / "silent too.wav")
    rows += ["copy.wav,wren,june", "silent.wav,wren,may", "silent too.wav,wren,july"]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    audionet.prepare(
        data,
        PrepareOptions(
            image_dir=tmp_path / "pictures", metadata=tmp_path / "table.csv", pictures=PictureSettings(1, 0)
        ),
    )
    samples = load_pictures(tmp_path / "pictures").samples
    groups = grouped((sample.group, sample.recording.partition("/")[2]) for sample in samples)
    assert sorted(map(sorted, groups.values())) == [
        ["0.wav", "1.wav", "2.wav", "copy.wav", "silent.wav"],
        ["3.wav", "4.wav", "silent too.wav"],
    ]


def test_what_is_far_fainter_than_the_loudest_of_its_recording_is_not_learnt_unless_it_was_marked() -> None:
    def chunk(recording: str, level_db: float | None, is_marked: bool = False) -> Sample:
        sample = sample_of("wren", recording, 0, 1)
        return sample._replace(name=f"{recording} {level_db}", level_db=level_db, is_marked=is_marked)

    learnt = [chunk("a", -20), chunk("a", -44), chunk("b", -60), chunk("b", -61), chunk("c", None), chunk("c", -90)]
    marked = [chunk("d", -10, is_marked=True), chunk("d", -70, is_marked=True)]
    renderer = SpectrogramRenderer.make(PictureSettings())
    samples = [*learnt, chunk("a", -45), *marked, chunk("a", -120)]
    pictures = with_a_say(PictureFolder(Path(), samples, renderer, PictureIndex(renderer)))
    assert pictures.samples == [*learnt, *marked]
