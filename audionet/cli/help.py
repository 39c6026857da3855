"""What can be typed to learn of the tool itself: its versions, its health, and how a shell completes it."""

import argparse
import sys
from pathlib import Path

from audionet.cli.plain_parser import PlainParser

SHELLS = ("bash", "zsh", "fish")
FOLDERS = ("DIR", "FOLDER", "DATA_AUDIO", "DATA_AUDIO_TEST")  # what the help calls arguments that are folders


class ShowVersions(argparse.Action):
    """The option --version, which looks for the versions only when it is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the versions and end the program."""
        from audionet.commands.doctor import versions

        sys.stdout.write(f"{versions()}\n")
        parser.exit()


def add_doctor(commands: "argparse._SubParsersAction[PlainParser]") -> None:
    """Add `audionet doctor`."""
    commands.add_parser(
        "doctor",
        usage="%(prog)s",
        help="check that all is there that audionet needs",
        description="""\
Check that all is there that audionet needs: ffmpeg, the packages, the network inside it, a folder to write to. What it
prints belongs in a bug report. Exit status: 0 all is well, 1 something is not; it says what to do then.""",
        examples="""\
  audionet doctor""",
    )


def add_completion(commands: "argparse._SubParsersAction[PlainParser]") -> None:
    """Add `audionet completion`."""
    parser = commands.add_parser(
        "completion",
        usage="%(prog)s SHELL",
        help="let the shell complete what is typed",
        description="""\
Print a script that lets a shell complete audionet's commands, options and files with the tab key. It works in shells
that are opened from then on.""",
        examples="""\
  mkdir -p ~/.local/share/bash-completion/completions ~/.config/fish/completions ~/.zfunc
  audionet completion bash > ~/.local/share/bash-completion/completions/audionet
  audionet completion fish > ~/.config/fish/completions/audionet.fish
  audionet completion zsh > ~/.zfunc/_audionet     and in ~/.zshrc: fpath+=~/.zfunc; autoload -U compinit; compinit""",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for one of SHELLS."""
    import shtab

    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for summary in commands._choices_actions:
        command = commands.choices[summary.dest]
        command.description = summary.help  # of the whole description, shells show a line that ends anywhere
        for action in command._actions:
            if action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY
            elif action.type is Path or action.metavar == "CLIP":
                action.complete = shtab.FILE
    return str(shtab.complete(parser, shell))
