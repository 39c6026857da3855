"""argparse in plain words: examples first, defaults shown, and a suggestion where something was mistyped."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from audionet.cli.meant import instead_of_command
from audionet.system.text import did_you_mean, listed, printable
from audionet.values import Rule, flag, kinds_of, rules_of

Record = TypeVar("Record")
NUMBERS = {int: "a whole number", float: "a number (with a point, as in 0.5)"}


def _number_of(kind: type[float], *rules: Rule) -> Callable[[str], float]:
    """A function that makes numbers of what is typed, and says of anything else which numbers the rules allow."""
    expected = " and ".join(["must be " + NUMBERS[kind], *(rule.sentence for rule in rules)])

    def number(text: str) -> float:
        try:
            return kind(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text}: {expected}") from error

    return number


class PlainParser(argparse.ArgumentParser):
    """A parser whose help shows `examples` before the options and `details` after them."""

    # What to do instead of options that people expect, by their names; and the parsers of all commands, by theirs.
    instead: Mapping[str, str] = MappingProxyType({})
    commands: Mapping[str, argparse.ArgumentParser] = MappingProxyType({})
    _rarely_used: frozenset[str] = frozenset()
    # What to do instead of an argument that is one too many; "" if there is nothing to say.
    instead_of_argument: Callable[[Path], str] = staticmethod(lambda _: "")

    def __init__(self, *, description: str, examples: str, details: str = "", **options: Any) -> None:
        super().__init__(
            description=f"{description}\n\nexamples:\n{examples}",
            epilog=details or None,
            allow_abbrev=False,
            formatter_class=_HelpFormatter,
            **options,
        )
        self._positionals.title = "what to work on"
        self.register("type", int, _number_of(int))
        self.register("action", None, LastCounts)
        self.set_defaults(parser=self)  # the parser of the command that is given

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options of a command line. Ends the program, with a sentence, where it makes no sense."""
        first = arguments[0].partition("=")[0]
        if first.startswith("-") and first not in ("--", *self._option_string_actions):
            self.refuse([first])
        options, extra = self.parse_known_args(arguments)
        if extra:
            options.parser.refuse(extra)
        return options

    def refuse(self, extra: Sequence[str]) -> NoReturn:
        """End the program for arguments that nobody asked for."""
        wrong = next((argument for argument in extra if argument.startswith("-")), extra[0]).partition("=")[0]
        if wrong in self.instead:
            self.error(f"{wrong}: no such option; {self.instead[wrong]}")
        if wrong.startswith("-"):
            if Path(wrong).exists():
                self.error(f"{wrong}: no such option; to name the file of that name, write ./{wrong}")
            others = [name for name, command in self.commands.items() if wrong in command._option_string_actions]
            if others:
                self.error(f"{wrong}: no such option here; it is one of audionet {listed(others, most=len(others))}")
            known = [spelling.lstrip("-") for action in self._actions for spelling in action.option_strings]
            self.error(f"{wrong}: no such option{did_you_mean(wrong.lstrip('-'), known, before='--')}")
        self.error(f"{wrong}: one argument too many{self.instead_of_argument(Path(wrong))}")

    def hide_rarely_used(self, titles: Sequence[str]) -> None:
        """Show groups of options, by their titles, with --help-all alone."""
        self._rarely_used = frozenset(titles)
        self.add_argument("--help-all", action=_ShowAllHelp, nargs=0, help="show the options that few need, too")

    def format_help(self) -> str:
        """The help, without the groups that are hidden."""
        groups = self._action_groups
        self._action_groups = [group for group in groups if group.title not in self._rarely_used]
        try:
            return super().format_help()
        finally:
            self._action_groups = groups

    def error(self, message: str) -> NoReturn:
        """End the program with exit status 2."""
        self.exit(
            2,
            f"{self.format_usage()}{self.prog}: {printable(message)}\n"
            f"{self.prog} --help shows examples and all options\n",
        )

    def _get_option_tuples(self, option_string: str) -> Any:
        # A file that is called -video.mp4 is not -v with something behind it.
        return [] if Path(option_string).exists() else super()._get_option_tuples(option_string)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        # Before Python 3.13, argparse takes the value of `--top=--` for nothing, and gives an empty list.
        if action.option_strings and arg_strings == ["--"]:
            raise argparse.ArgumentError(action, "--: is no value")
        return super()._get_values(action, arg_strings)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            instead = instead_of_command(value) if isinstance(action, argparse._SubParsersAction) else ""
            message = f"{value}: must be one of {', '.join(known)}{instead or did_you_mean(str(value), known)}"
            raise argparse.ArgumentError(action, message)


def add_options(
    group: "argparse._ActionsContainer", listing: str, record: type[Any] | None = None, **others: Any
) -> None:
    """Add options to a group.

    listing: one after the other, as in `--graph FILE  the model`: its spellings, and what the help calls its value, if
    it takes one and has no choices; then, after two spaces, what it is, which goes on in lines that are indented.
    record: they are fields of it, where their types, choices and defaults are. others: what else argparse is told.
    """
    by_flag = {flag(each.name): each for each in fields(record)} if record else {}
    for entry in re.split(r"\n(?=-)", listing.strip()):
        typed, about = entry.split("  ", maxsplit=1)
        words = typed.split()
        taken = _of_field(record, by_flag[words[0]]) | others if record else dict(others)
        if not words[-1].startswith("-"):
            taken["metavar"] = words.pop()
        group.add_argument(*words, help=" ".join(about.split()), **taken)


def _of_field(record: type[Any], field: "Field[Any]") -> dict[str, Any]:
    """What argparse is told of the option that is a field of a record."""
    kinds, default = kinds_of(field.type), getattr(record, field.name, None)
    if bool in kinds:
        action = "store_true" if default is False else _YesOrNo
        return {"dest": field.name, "default": default, "action": action}
    number = next((kind for kind in NUMBERS if kind in kinds), None)
    kind = _number_of(number, *rules_of(field.type)) if number else Path if Path in kinds else str
    if tuple in kinds or Sequence in kinds:
        default = None if default is None else list(default)
        return {"dest": field.name, "default": default, "type": kind, "action": "append"}
    choices = [choice for rule in rules_of(field.type) for choice in rule.choices]
    return {"dest": field.name, "default": default, "type": kind, "choices": choices or None}


def record_of(record: type[Record], options: argparse.Namespace, **others: Any) -> Record:
    """A record made of the options that are called as its fields are. others: fields that are not options."""
    fields_of: Any = record  # of a dataclass, which mypy has no bound for
    names = [each.name for each in fields(fields_of) if each.name not in others and hasattr(options, each.name)]
    return record(**others, **{name: getattr(options, name) for name in names})


class LastCounts(argparse._StoreAction):
    """An option with one value, of which the last counts. `overridden` notes which were given others before."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Note the value."""
        given = vars(namespace).setdefault("given", {})
        if self.dest in given and given[self.dest] != values:
            vars(namespace).setdefault("overridden", {})[option] = values
        given[self.dest] = values
        super().__call__(parser, namespace, values, option)


class _YesOrNo(argparse.BooleanOptionalAction):
    """An option that says yes, or no with --no- before its name: one of the two."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Note which. Raises argparse.ArgumentError where the other was given too."""
        if vars(namespace).setdefault("given", {}).setdefault(self.dest, option) != option:
            raise argparse.ArgumentError(self, "one says yes, the other no; leave out one")
        super().__call__(parser, namespace, values, option)


class _ShowAllHelp(argparse.Action):
    """The option --help-all."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Show the help with all groups, and end."""
        assert isinstance(parser, PlainParser)
        parser._rarely_used = frozenset()
        parser.print_help()
        parser.exit()


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults in plain words, and leaves examples as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if isinstance(action, argparse.BooleanOptionalAction):
            # Our helps say the default themselves; before Python 3.11, argparse adds True or False.
            return (action.help or "").partition(" (default: True)")[0].partition(" (default: %")[0]
        if "(default:" in (action.help or ""):
            return action.help
        if action.nargs == 0 and action.const is not None and action.default is not action.const:
            return f"{action.help} (default: no)"
        if isinstance(action.default, float):
            return f"{action.help} (default: %(default)g)"
        silent = action.default is None or isinstance(action.default, bool)
        return action.help if silent else super()._get_help_string(action)
