"""What README.md and docs/ show is true: every command and every example is run, in order, on the sample voices."""

import contextlib
import io
import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionet.cli.main import main
from audionet.cli.meant import modern_spelling
from audionet.cli.parser import build_parser
from tests.conftest import (
    ROOT,
    SAMPLE_CLIPS,
    SAMPLE_VOICES,
    copy_two_chunks,
    make_launchers,
    quick_learning,
    run_program,
)
from tests.pages import PAGES, README, Block, anchors, blocks, inline_code, links

pytestmark = pytest.mark.slow

READERS = {"anna": "allison", "ben": "carlo"}  # whose voices the examples speak of -> of the sample voices, whose
RECORDINGS = ("interview", "lecture", "podcast-12")
WORDS_OF_README = 1300
FEW = 11  # blocks that may go without being run
SHELL_ONLY = re.compile(r"[|<&;$]|>(?! \S+$)|^(?!audionet |#|\s*$)", re.MULTILINE)  # `... > file` at the end is not
# Run where their files are: from-2018.md in a clone of the project by test_old_scripts.py.
RUN_ELSEWHERE = {"from-2018.md"}
BEGINS_ANEW = {"birds.md", "speakers.md", "urban-sounds.md"}  # in a folder without pictures and model


@pytest.fixture(scope="module")
def workshop(voice_bottlenecks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reader who did what README.md says, and in which the bottlenecks of our voices are known."""
    folder = tmp_path_factory.mktemp("workshop")
    for name, voice in READERS.items():
        clips = sorted((SAMPLE_CLIPS / voice).glob("*.mp3"))
        for recording, path in zip(RECORDINGS, sorted((SAMPLE_VOICES / voice).glob("*.mp3")), strict=False):
            copy_two_chunks(path, folder / "data_audio" / name / f"{recording}.mp3")
        for path in clips[:2]:
            copy(path, folder / "test_audio" / name / path.name)
            copy(path, folder / "interviews" / f"{name}-{path.name}")
        with open(folder / "debate.mp3", "ab") as debate:  # frames of MP3s can be joined as they are
            debate.write(clips[2].read_bytes())
    shutil.copy(sorted((SAMPLE_CLIPS / "allison").glob("*.mp3"))[-1], folder / "clip.mp3")
    shutil.copy(folder / "debate.mp3", folder / "street.mp3")
    make_urban_sounds(folder)
    make_launchers(folder / ".venv" / "bin")
    shutil.copytree(voice_bottlenecks, folder / "tf_files" / "bottlenecks")
    run_page(README, folder)
    return folder


def make_urban_sounds(folder: Path) -> None:
    """Two data sets as they are published, but small and of voices; and recordings for a table of one's own."""
    sets = {"UrbanSound8K": ["slice_file_name,fsID,fold,class"], "ESC-50-master": ["filename,fold,category,src_file"]}
    for number, (name, voice) in enumerate(READERS.items()):
        for fold in (1, 2):
            path, source = SAMPLE_CLIPS / voice / f"{voice}-clip-{fold}.mp3", 10 * number + fold
            file = f"{source}.mp3"
            copy(path, folder / "UrbanSound8K" / "audio" / f"fold{fold}" / file)
            sets["UrbanSound8K"].append(f"{file},{source},{fold},{name}")
            copy(path, folder / "ESC-50-master" / "audio" / file)
            sets["ESC-50-master"].append(f"{file},{fold},{name},{source}")
    for name, table in zip(sets, ("metadata/UrbanSound8K.csv", "meta/esc50.csv"), strict=True):
        (folder / name / table).parent.mkdir()
        (folder / name / table).write_text("\n".join(sets[name]), encoding="utf-8")
    for stem in ("0017", "0018"):
        copy(SAMPLE_CLIPS / "june" / "june-clip-1.mp3", folder / "recordings" / "2024" / "may" / f"{stem}.wav")


def copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def run_page(page: Path, folder: Path) -> None:
    """Run the blocks of a page in order; what they print is as shown, but for the numbers."""
    for block in blocks(page):
        if block.not_run:
            continue
        run = RUNNERS.get(block.language)
        if run:
            printed = run(block, folder)
            assert block.output is None or agree(block.output, printed), f"{block.place} prints\n{printed}"


def run_commands(block: Block, folder: Path) -> str:
    """Commands of audionet alone are run in this process, which has TensorFlow loaded, others by the shell.

    So is what is kept of them in a file.
    """
    if SHELL_ONLY.search(block.text):
        return run_shell(block, folder)
    printed, said = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.chdir(folder)
        for line in block.text.replace("\\\n", " ").splitlines():
            command, _, file = line.partition(" > ")
            arguments = shlex.split(command, comments=True)[1:]
            with contextlib.redirect_stdout(io.StringIO() if file else printed) as out:
                status = main(arguments) if arguments else 0
            assert status == 0, f"{block.place}: {line} ends with {status}: {said.getvalue()}"
            if file:
                Path(file).write_text(out.getvalue(), encoding="utf-8")
    return printed.getvalue()


def run_shell(block: Block, folder: Path) -> str:
    path = {"PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    finished = run_program(["sh", "-e", "-c", block.text], folder=folder, variables=path, timeout=300, check=False)
    assert finished.returncode == 0, f"{block.place} ends with {finished.returncode}: {finished.stderr}"
    return finished.stdout


def run_python(block: Block, folder: Path) -> str:
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(folder)
        exec(compile(block.text, block.place, "exec"), {})
    return printed.getvalue()


def save_table(block: Block, folder: Path) -> str:
    (folder / "recordings.csv").write_text(block.text, encoding="utf-8")
    return ""


RUNNERS: dict[str, Callable[[Block, Path], str]] = {"sh": run_commands, "python": run_python, "csv": save_table}


def agree(shown: str, printed: str) -> bool:
    """Whether they are the same but for numbers and spaces; `...` stands for anything."""

    def plain(text: str) -> str:
        return " ".join(re.sub(r"\d+", "0", text).split())

    pattern = re.escape(plain(shown)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, plain(printed)) is not None


def test_outputs_may_differ_in_numbers_alone() -> None:
    assert agree("a.mp3\n  anna  0.968\n", "a.mp3\n  anna 0.5\n")
    assert not agree("a.mp3\n  anna  0.968\n", "a.mp3\n  ben 0.968\n")
    assert agree("one\n...\nfour", "one\ntwo\nthree\nfour\n")
    assert not agree("one\n...\nfour", "one\ntwo\nthree\n")


def is_run(page: Path) -> bool:
    """Whether there is something in it to be run here."""
    shown = any(block.language in RUNNERS and not block.not_run for block in blocks(page))
    return shown and page.name not in RUN_ELSEWHERE


@pytest.mark.parametrize("page", [page for page in PAGES if is_run(page)], ids=lambda page: page.name)
def test_every_command_shown_runs(page: Path, workshop: Path, tmp_path: Path) -> None:
    if page != README:  # which made the workshop
        folder = tmp_path / "workshop"
        shutil.copytree(workshop, folder, symlinks=True)
        if page.name in BEGINS_ANEW:
            (folder / "tf_files" / "bottlenecks").rename(folder / "bottlenecks")  # the same for the same pictures
            shutil.rmtree(folder / "tf_files")
            (folder / "tf_files").mkdir()
            (folder / "bottlenecks").rename(folder / "tf_files" / "bottlenecks")
        with quick_learning():
            run_page(page, folder)


def test_the_readme_is_short_and_complete() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.split()) <= WORDS_OF_README
    needed = "git clone|pipx install|uv tool install|virtual environment|about 3 GB|Debian|~/.local/bin|docs/report.png"
    for words in (*needed.split("|"), "To cite AudioNet", "docs/from_sound_to_scores.png", "[Install](#install)"):
        assert words in text
    for page in ("accuracy", "speed", "cluster"):
        assert f"](docs/{page}.md)" in text
        assert f"## {page}" not in text.lower()


def test_what_is_not_run_is_little_and_says_why() -> None:
    left_out = [block for page in PAGES for block in blocks(page) if block.not_run]
    assert len(left_out) <= FEW, [block.place for block in left_out]
    marks = sum(page.read_text(encoding="utf-8").count("<!-- not run") for page in PAGES)
    assert marks == len(left_out), "a mark that stands before no block, or without a reason"


def test_the_dockerfile_copies_what_the_package_is_built_from() -> None:
    lines = [line.split() for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()]
    copied = {name.removeprefix("./") for words in lines if words[:1] == ["COPY"] for name in words[1:-1]}
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    # test_end_to_end.py builds a wheel from these and runs it.
    assert copied == sent == {"audionet", "constraints.txt", "pyproject.toml", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_named_in_the_text_exists(page: Path) -> None:
    parser: Any = build_parser()
    commands = parser._subparsers._group_actions[0].choices
    for text in inline_code(page):
        named = re.match(r"(?:audionet )?(\w+) .*--", text)
        if named and named[1] in commands:
            options = [word.partition("=")[0] for word in modern_spelling(text.split()) if word.startswith("--")]
            for option in options:
                assert option in commands[named[1]]._option_string_actions, f"{page.name}: {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_can_be_typed_stands_in_a_block(page: Path) -> None:
    """Where it is run; in running text are names and placeholders alone."""
    for text in inline_code(page):
        assert not re.match(r"audionet \w+ .*[a-z]+(/|\.\w+\b)", text), f"{page.name}: {text}"


def test_the_architecture_names_every_folder_and_no_module_that_is_not_there() -> None:
    package = ROOT / "audionet"
    named = set(inline_code(ROOT / "CONTRIBUTING.md"))
    modules = {path.name for path in package.glob("*.py") if not path.name.startswith("__")}
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert modules | folders <= named
    for name in named:
        if re.fullmatch(r"[a-z_]+/[a-z_/]*(\.py)?", name):
            assert (package / name).exists() or (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"
