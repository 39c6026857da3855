import shutil
from pathlib import Path

import pytest

from audionet.cli.help import SHELLS, completion_script
from audionet.cli.parser import build_parser
from tests.conftest import run_program

COMMANDS = ["prepare", "retrain", "label", "evaluate", "doctor", "completion"]
# What bash does when the tab key is pressed, as a function of the words typed so far.
PRESS_TAB = """
complete_line() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
  local function; function=$(complete -p audionet); function=${function##*-F }; ${function%% *}
  printf '%s\\n' "${COMPREPLY[@]}"
}
complete_line "$@"
"""


def press_tab(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word, which may be empty."""
    script = completion_script(build_parser(), "bash") + PRESS_TAB
    finished = run_program(["bash", "--norc", "-c", script, "bash", *words], folder=folder, check=False)
    assert finished.stderr == ""
    return finished.stdout.split("\n")[:-1]


def test_bash_offers_commands(tmp_path: Path) -> None:
    assert press_tab(tmp_path, "audionet", "") == COMMANDS
    assert press_tab(tmp_path, "audionet", "lab") == ["label"]
    assert press_tab(tmp_path, "audionet", "completion", "") == list(SHELLS)


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_offers_each_option(command: str, tmp_path: Path) -> None:
    known = {spelling for a in build_parser().commands[command]._actions for spelling in a.option_strings}
    assert set(press_tab(tmp_path, "audionet", command, "--")) == {name for name in known if name.startswith("--")}


def test_bash_offers_values_and_files(tmp_path: Path) -> None:
    (tmp_path / "data_audio").mkdir()
    (tmp_path / "debate.mp3").touch()
    assert press_tab(tmp_path, "audionet", "label", "--format", "") == [
        *("text", "json", "csv", "rttm", "audacity", "raven", "textgrid", "srt", "vtt", "elan")
    ]
    assert press_tab(tmp_path, "audionet", "label", "clip.mp3", "--fo") == ["--format"]
    assert sorted(press_tab(tmp_path, "audionet", "label", "d")) == ["data_audio", "debate.mp3"]
    assert press_tab(tmp_path, "audionet", "prepare", "d") == ["data_audio"], "folders alone"


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shells_script_has_each_option_and_is_well_formed(shell: str, tmp_path: Path) -> None:
    script = completion_script(build_parser(), shell)
    for name, command in build_parser().commands.items():
        assert name in script
        for spelling in (spelling for action in command._actions for spelling in action.option_strings):
            assert spelling in script or f"-l {spelling[2:]}" in script or f"-s {spelling[1:]}" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / f"audionet.{shell}"
    path.write_text(script, encoding="utf-8")
    checked = run_program([program, "-n", str(path)], check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_fish_offers_options_and_values(tmp_path: Path) -> None:
    program = shutil.which("fish")
    if program is None:
        pytest.skip("fish is not installed")
    (tmp_path / "audionet.fish").write_text(completion_script(build_parser(), "fish"), encoding="utf-8")
    asked = "source audionet.fish; complete -C 'audionet '; complete -C 'audionet label --form'"
    command = [program, "--no-config", "-c", asked]
    finished = run_program(command, folder=tmp_path, check=False, variables={"HOME": str(tmp_path)})
    offered = [line.split("\t")[0] for line in finished.stdout.splitlines()]
    assert [word for word in offered if not word.startswith("-")] == sorted(COMMANDS)
    assert offered[-1] == "--format"
