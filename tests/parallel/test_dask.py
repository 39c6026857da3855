"""The commands on a real Dask cluster of two worker processes: the same bytes as without."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audionet import LabelOptions, PictureSettings, PrepareOptions, RetrainOptions, label, prepare, retrain
from audionet.dataset.sources import FOLDER_FILE
from audionet.errors import AudionetError
from audionet.settings import TlsScheduler
from tests.conftest import Run, chirps, quick_learning, run_program, write_wav
from tests.crashes import contents

if TYPE_CHECKING:  # each process that shares in the tests would take over a second to import it
    from distributed import LocalCluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> "Iterator[LocalCluster]":
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


def test_three_commands_give_the_same_bytes(
    cluster: "LocalCluster", two_classes: Path, audionet_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("low/low-2", "low/low-3", "high/high-2", "high/high-3"):  # two recordings of each will do
        (two_classes / f"{name}.wav").unlink()
    (two_classes / "low" / "notes.mp3").write_text("not a sound")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # which stands in the report and on the model's card
    reports, files = [], []
    for scheduler in (None, cluster.scheduler_address):
        folder = tmp_path / f"by {scheduler is None}"
        folder.mkdir()
        (folder / "data_audio").symlink_to(two_classes)
        monkeypatch.chdir(folder)  # workers have another current directory
        prepared = prepare("data_audio", PrepareOptions(pictures=PictureSettings(1, 0), scheduler=scheduler))
        with quick_learning():
            retrain(RetrainOptions(steps=50, scheduler=scheduler))
        labelled = label(["data_audio"], LabelOptions(scheduler=scheduler))
        reports.append((prepared.made_chunks, [str(error) for error in prepared.skipped], labelled))
        made = contents(folder / "tf_files")
        files.append({name: made[name] for name in made if not name.endswith(FOLDER_FILE)})
    assert reports[0] == reports[1]
    assert reports[0][:2] == (12, ["data_audio/low/notes.mp3: is not audio that ffmpeg can read"])
    assert len(reports[0][2]) == 4
    assert files[0] == files[1]
    suffixes = set(".jpg .wav .json .bottlenecks .tflite .html .pb .txt".split())
    assert {Path(name).suffix for name in files[0]} == suffixes
    typed = ["label", "data_audio/low/low-1.wav", "--format", "json"]
    alone = audionet_here(*typed, cwd=folder)
    assert audionet_here(*typed, "--scheduler", cluster.scheduler_address, cwd=folder).stdout == alone.stdout != ""
    evaluated = [
        audionet_here("evaluate", "data_audio", *extra, cwd=folder).stdout
        for extra in ([], ["--scheduler", cluster.scheduler_address])
    ]
    assert evaluated[0] == evaluated[1] != ""


def test_what_a_worker_says_of_a_recording_is_said_here(
    cluster: "LocalCluster", two_classes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = two_classes / "low" / "low-1.wav"
    path.write_bytes(path.read_bytes()[:-32000])
    prepare(two_classes, PrepareOptions(tmp_path / "p", PictureSettings(1, 0), scheduler=cluster.scheduler_address))
    assert caplog.text.count("low-1.wav: is cut off: of the") == 1


def test_a_worker_that_dies_costs_its_own_work_only(cluster: "LocalCluster", tmp_path: Path) -> None:
    from distributed import Client

    data_audio = tmp_path / "data_audio"
    for n in range(12):
        write_wav(data_audio / "low" / f"{n:02d}.wav", chirps(n, 200, 400, 3))
    pictures = PictureSettings(1)
    prepare(data_audio, PrepareOptions(tmp_path / "local", pictures))
    with Client(cluster, set_as_default=False) as client:
        before = list(client.run(os.getpid).values())
        seen = []

        def kill(stage: str, done: float, total: int) -> None:
            seen.append((stage, done, total))
            if done == 2:
                os.kill(before[0], signal.SIGKILL)

        options = PrepareOptions(tmp_path / "cluster", pictures, scheduler=cluster.scheduler_address)
        report = prepare(data_audio, options, progress=kill)
        assert seen == [("recordings", n, 12) for n in range(13)]
        assert before[0] not in client.run(os.getpid).values()
    assert (report.made, report.skipped) == (12, [])
    made = contents(tmp_path / "cluster")
    half_written = {name for name in made if name.endswith(".tmp")}  # by the worker that died
    assert {name: made[name] for name in made.keys() - half_written} == contents(tmp_path / "local")


def test_what_ends_the_command_comes_back_from_a_worker(cluster: "LocalCluster", two_classes: Path) -> None:
    image_dir = two_classes.parent / "pictures"
    image_dir.mkdir()
    (image_dir / "low").write_text("where a folder should be")
    with pytest.raises(AudionetError, match="cannot be written"):
        prepare(two_classes, PrepareOptions(image_dir, PictureSettings(1), scheduler=cluster.scheduler_address))


def test_a_scheduler_that_is_not_there_is_said_in_one_sentence(two_classes: Path, audionet_here: Run) -> None:
    (line,) = audionet_here.refused("prepare", two_classes, "--scheduler", "tcp://127.0.0.1:9").splitlines()
    assert line.startswith("audionet: --scheduler tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert audionet_here("prepare", two_classes, "--scheduler", "no address").returncode == 2


def test_without_dask_the_remedy_is_named(two_classes: Path) -> None:
    program = (
        "import sys, importlib.util as u; real = u.find_spec; "
        "u.find_spec = lambda name, *rest: None if name == 'distributed' else real(name, *rest); "
        "from audionet.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    typed = ["prepare", str(two_classes), "--scheduler", "tcp://127.0.0.1:9"]
    finished = run_program(program, *typed, folder=two_classes.parent, check=False)
    assert finished.returncode == 2
    assert finished.stderr.splitlines() == [
        "audionet: --scheduler: needs Dask, which is not installed; run: pip install 'audionet[cluster]'"
    ]


CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate that vouches for itself, and its key; and another of nobody's."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "other"):
        run_program([*CERTIFICATE, "-keyout", f"{name}-key.pem", "-out", f"{name}.pem"], folder=folder)
    (folder / "both.pem").write_text((folder / "ours.pem").read_text() + (folder / "ours-key.pem").read_text())
    return folder


def test_a_cluster_is_reached_by_tls_with_the_certificates_of_our_own_options(
    certificates: Path, two_classes: Path, audionet_here: Run
) -> None:
    from distributed import LocalCluster
    from distributed.security import Security

    ours, key, both = (str(certificates / name) for name in ("ours.pem", "ours-key.pem", "both.pem"))
    roles = {f"tls_{role}_{what}": path for role in ("scheduler", "worker", "client") for what, path in
             (("cert", ours), ("key", key))}  # fmt: skip
    security = Security(tls_ca_file=ours, require_encryption=True, **roles)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tls", security=security, dashboard_address=None,
        silence_logs=50,
    ) as found:  # fmt: skip
        command = ["prepare", two_classes, "--chunk-seconds", "1", "--scheduler", found.scheduler_address]
        assert found.scheduler_address.startswith("tls://")
        finished = audionet_here(*command, "--tls-ca-file", ours, "--tls-cert", ours, "--tls-key", key)
        assert (finished.returncode, finished.stdout.splitlines()[0][:13]) == (0, "8 recordings:"), finished.stderr
        assert audionet_here(*command, "--tls-ca-file", ours, "--tls-cert", both).returncode == 0
        other, others_key = (str(certificates / name) for name in ("other.pem", "other-key.pem"))
        for options, said in (
            ([], "needs certificates; name them with --tls-ca-file"),
            (
                ["--tls-ca-file", other, "--tls-cert", other, "--tls-key", others_key],
                "no Dask scheduler answers there that",
            ),
            (
                ["--tls-ca-file", ours, "--tls-cert", ours, "--tls-key", others_key],
                "no Dask scheduler answers there that",
            ),
            (["--tls-ca-file", str(two_classes), "--tls-cert", ours], "no such file"),
            (["--tls-cert", ours], "go together"),
        ):
            refused = audionet_here(*command, *options)
            assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    with pytest.raises(AudionetError, match="begins with tls://"):
        TlsScheduler("tcp://127.0.0.1:8786", Path(ours), Path(ours))
