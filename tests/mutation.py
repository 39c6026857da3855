"""Which small changes of the code the tests notice: a mutation run.

    python -m tests.mutation [--sample 50] [MODULE ...]        (make mutation)

Each module in TESTS is changed in one place at a time: a comparison, an operator, a number, a condition, a returned
value. The module's tests are then run on it, in a process forked from one that has imported what is slow to import.
A change that no test notices is printed: it shows what is not tested, or what makes no difference.
"""

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "audionet"
TESTS: dict[str, list[str]] = {
    "dataset.folders": ["tests/dataset/test_folders.py"],
    "spectrogram.transform": ["tests/spectrogram/test_transform.py"],
    "bottleneck.cache": ["tests/bottleneck/test_extractor.py"],
    "bottleneck.extractor": ["tests/bottleneck/test_extractor.py", "tests/training/test_projection.py"],
}
GOAL = 0.8  # the share of changes that is to be noticed
SLOW_IMPORTS = ("numpy", "scipy.signal", "librosa.feature", "PIL.Image", "ai_edge_litert.interpreter", "threadpoolctl")
PATIENCE, LEAST_SECONDS = 10, 60  # a change that makes the tests take so many times as long, and so long, is noticed

SWAPPED: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
Alteration = tuple[str, Callable[[ast.AST], None]]


def _source_of(name: str) -> Path:
    """The file of a module, by its dotted name below the package."""
    return PACKAGE.joinpath(*name.split(".")).with_suffix(".py")


def changes(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Each way in which a module is changed: where and what, and the changed module."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for what, alter in _alterations(node):
            changed = copy.deepcopy(tree)
            alter(next(other for n, other in enumerate(ast.walk(changed)) if n == number))
            yield f"line {getattr(node, 'lineno', 0)}: {what}", ast.fix_missing_locations(changed)


def _alterations(node: ast.AST) -> list[Alteration]:
    """What can be done to a node of the syntax tree."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        return [_swap("ops", node.ops[0])]
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPPED:
        return [_swap("op", node.op)]
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return [("the opposite condition", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test)))]
    if isinstance(node, ast.Return) and node.value is not None and not _is(node.value, None):
        return [("returns None", lambda n: setattr(n, "value", ast.Constant(None)))]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [(f"{not node.value} for {node.value}", lambda n: setattr(n, "value", not n.value))]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return [(f"{node.value} plus 1", lambda n: setattr(n, "value", n.value + 1))]
    if isinstance(node, (ast.Continue, ast.Break)):
        return [("goes on", lambda n: setattr(n, "__class__", ast.Pass))]
    return []


def _swap(field: str, old: ast.AST) -> Alteration:
    new = SWAPPED[type(old)]

    def alter(node: ast.AST) -> None:
        setattr(node, field, [new(), *getattr(node, field)[1:]] if field == "ops" else new())

    return f"{new.__name__} for {type(old).__name__}", alter


def _is(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


class Mutant(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Has a changed module imported in place of the module of this name."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name, self._tree = f"audionet.{name}", tree
        self._path = str(_source_of(name))

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Of the one module."""
        return importlib.util.spec_from_file_location(name, self._path, loader=self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code as the module's."""
        exec(compile(self._tree, self._path, "exec"), vars(module))


def _run_tests(name: str, tree: ast.Module) -> None:
    """In a process of its own: exit with the tests' status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.meta_path.insert(0, Mutant(name, tree))
    status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *TESTS[name]])
    os._exit(int(status))


def is_noticed(name: str, tree: ast.Module, limit_seconds: float | None = None) -> bool:
    """Whether a test fails on the changed module, or does not end in time."""
    process = multiprocessing.get_context("fork").Process(target=_run_tests, args=(name, tree))
    process.start()
    process.join(limit_seconds)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode != 0


def main() -> int:
    """Change, test, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"default: {', '.join(TESTS)}")
    parser.add_argument("--sample", type=int, help="changes of each module, drawn at random; default: all")
    options = parser.parse_args()
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    all_noticed = all_made = 0
    table = ["| module | changes | noticed | share |", "| --- | --- | --- | --- |"]
    for name in options.modules or TESTS:
        source = _source_of(name).read_text(encoding="utf-8")
        began = time.monotonic()
        if is_noticed(name, ast.parse(source)):
            sys.exit(f"{name}: its tests fail on the module as it is")
        limit = max(LEAST_SECONDS, PATIENCE * (time.monotonic() - began))
        made = list(changes(source))
        if options.sample is not None and options.sample < len(made):
            made = [made[n] for n in sorted(random.Random(name).sample(range(len(made)), options.sample))]
        noticed = 0
        for what, tree in made:
            if is_noticed(name, tree, limit):
                noticed += 1
            else:
                print(f"not noticed: {name}.py, {what}", flush=True)
        table.append(f"| {name} | {len(made)} | {noticed} | {noticed / len(made):.0%} |")
        all_noticed, all_made = all_noticed + noticed, all_made + len(made)
    print("\n".join([*table, f"| all | {all_made} | {all_noticed} | {all_noticed / all_made:.0%} |"]))
    return 0 if all_noticed >= GOAL * all_made else 1


if __name__ == "__main__":
    sys.exit(main())
