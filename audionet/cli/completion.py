"""Scripts that let a shell complete audionet's commands, options and their values, made from the parser."""

import argparse
from pathlib import Path

from audionet.cli.plain_parser import commands_of, summaries_of

SHELLS = ("bash", "zsh", "fish")
FOLDERS = ("DIR", "FOLDER", "DATA_AUDIO", "DATA_AUDIO_TEST")  # what the help calls arguments that are folders


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for one of SHELLS."""
    import shtab

    summaries = summaries_of(parser)
    for name, command in commands_of(parser).items():
        command.description = summaries[name]  # of the whole description, shells show a line that ends anywhere
        for action in command._actions:
            if action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.type is Path or action.metavar == "CLIP":
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))
