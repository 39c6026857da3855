"""What reaches the user and the disk stays as it was; see tests/freeze.py.

The source moved house with all of it held to the byte, but for two things that changed on purpose: the training key
(it holds a version of the training algorithm instead of the package's, so that a release trains nothing anew; it is
left out here), and TensorBoard's picture of the confusion matrix (matplotlib draws it; TensorBoard's files hold times
of day, and are not compared). What was changed on purpose since is in the log of tests/golden/.
"""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from tests import freeze
from tests.conftest import Run

pytestmark = pytest.mark.slow


def test_the_commands_give_what_they_gave(golden_run: Path) -> None:
    results = json.loads((golden_run / freeze.RESULTS).read_text(encoding="utf-8"))
    exactly = freeze.is_the_same_machine()
    old = {path.name: path.read_text(encoding="utf-8") for path in freeze.GOLDEN.iterdir() if path.suffix != ".xz"}
    del old[freeze.MACHINE.name]
    assert results.keys() == old.keys()
    found = [freeze.difference(name, old[name], results[name], exactly) for name in sorted(old)]
    assert not any(found), "\n".join(filter(None, found))


@pytest.fixture(scope="module")
def old_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the commit before the move left it, with the recordings that it was made of."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(freeze.OLD_FILES) as archive:
        archive.extractall(folder / "tf_files")
    freeze.make_old_recordings(folder / "data_audio")
    return folder


def test_old_pictures_are_still_used_and_old_bottlenecks_left_alone(
    old_folder: Path, tmp_path: Path, audionet_here: Run
) -> None:
    shutil.copytree(old_folder, tmp_path, dirs_exist_ok=True)
    pictures = sorted((tmp_path / "tf_files" / "data_image").rglob("*.jpg"))
    before = [path.stat().st_mtime_ns for path in pictures]
    prepared = audionet_here("prepare", "data_audio", "--chunk-seconds", 1, "--overlap", 0)
    assert "6 recordings: 0 drawn (0 pictures), 6 unchanged" in prepared.stdout
    assert [path.stat().st_mtime_ns for path in pictures] == before
    # Since the network gives more and leaves out silence, bottlenecks are made once more, beside those of before.
    (old_cache,) = (tmp_path / "tf_files" / "bottlenecks").glob("*.bottlenecks")
    content = old_cache.read_bytes()
    for computed in (6, 0):
        assert f"bottlenecks: {computed} computed" in audionet_here("retrain", "--steps", 50, "--no-report").stdout
    assert old_cache.read_bytes() == content


def test_an_old_model_still_gives_its_scores(old_folder: Path, audionet_here: Run) -> None:
    printed = audionet_here("label", "data_audio", "--format", "json", cwd=old_folder).stdout
    scores = json.loads((old_folder / "tf_files" / "scores.json").read_text(encoding="utf-8"))
    found = {Path(clip["clip"]).stem: clip["scores"] for clip in json.loads(printed)}
    assert found.keys() == scores.keys()
    for name, expected in scores.items():
        # They were made on another machine than what is compared above; processors differ by some 1e-5.
        assert found[name] == pytest.approx(expected, abs=1e-3), name
