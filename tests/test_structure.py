"""The shape of the package: who may import whom, and where outside things are allowed in."""

import ast
import functools
import graphlib
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "audionet"

# The stages of the pipeline, in the order of the data. A folder imports from those before it, never from those behind.
FOLDERS = (
    "system parallel audio spectrogram dataset tables annotation bottleneck hub training detection evaluation model "
    "inference plots report commands formats cli legacy"
).split()
# Modules at the top of the package: what all folders may import, and what imports all folders.
FIRST, LAST = ["errors", "values", "settings", "model_files", "rules", "options"], ["__main__"]
MOST_MODULES = 9  # in a folder, but for formats, which has one a format
MOST_PARAMETERS = 6
MODES = ("r", "w", "a", "x", "rb", "wb", "ab", "xb", "r+", "r+b")
# Each outside thing has one home (and filter_bank, which makes matplotlib's colours once).
HOMES = {
    # A stranger's network runs in a process of its own, with limits, as a stranger's recording does.
    "subprocess": {"parallel.process", "audio.ffmpeg", "parallel.child"},
    "imageio_ffmpeg": {"audio.ffmpeg"},
    "soundfile": {"audio.plain_files"},
    "tensorflow": {"system.tensorflow"},
    "tensorflow_hub": {"hub.tfhub"},
    "ai_edge_litert": {"bottleneck.backbone", "bottleneck.litert_file"},
    "pydub": {"audio.chunks"},
    "librosa": set(),  # with it comes Numba, which breaks down where nothing can be written
    "matplotlib": {"spectrogram.filter_bank", "plots.figure"},
    "scipy": {"commands.retrain", "detection.detector", "evaluation.detection", "training.folds", "training.subspace"},
    "PIL": {"spectrogram.jpeg"},
    "distributed": {"parallel.dask"},
    "tqdm": {"system.progress"},
    "colorama": {"system.text"},
    "shtab": {"cli.help"},
    "jinja2": {"report.page"},
    "tensorboard": {"model.graph_def", "plots.tensorboard"},
}
PRINTING = {f"formats.{name}" for name in "text json rttm audacity raven textgrid subtitles summary evaluation".split()}


def paths() -> dict[str, Path]:
    """The file of each module, by its dotted name below the package."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py"
    }


@functools.cache  # in the tests alone: to collect them, each process would read the whole package
def modules() -> dict[str, ast.Module]:
    """The source of each module, by its dotted name below the package."""
    return {name: ast.parse(path.read_text()) for name, path in paths().items()}


@functools.cache
def imports(tree: ast.Module) -> set[str]:
    """Full names of the modules imported anywhere in a module, type checking aside."""
    ignored = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in ignored:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def own_imports(name: str) -> set[str]:
    """The modules of the package that a module imports, by their names below it."""
    names = {full.removeprefix("audionet.") for full in imports(modules()[name]) if full.startswith("audionet.")}
    return names & modules().keys() - {name}


def place(name: str) -> int:
    """Where a module stands in the order of the folders."""
    return [*FIRST, *FOLDERS, *LAST].index(name.split(".", maxsplit=1)[0])


def test_every_module_lies_in_a_folder_that_says_its_job() -> None:
    for name in modules():
        assert name.split(".")[0] in {*FIRST, *FOLDERS, *LAST}, name
    for folder in FOLDERS:
        about = ast.get_docstring(modules()[folder]) or ""
        assert about, folder
        assert not [node for node in modules()[folder].body if not isinstance(node, ast.Expr)], f"{folder} holds code"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_can_be_taken_in_at_a_glance(folder: str) -> None:
    names = [name for name in modules() if name.startswith(f"{folder}.")]
    assert folder == "formats" or len(names) <= MOST_MODULES, names


@pytest.mark.parametrize("name", sorted(paths()))
def test_imports_go_one_way(name: str) -> None:
    for imported in own_imports(name):
        assert place(imported) <= place(name), f"{name} imports {imported}"


def test_no_imports_go_round_in_a_circle() -> None:
    order = graphlib.TopologicalSorter({name: own_imports(name) for name in modules()})
    assert list(order.static_order())  # raises CycleError


@pytest.mark.parametrize("package", sorted(HOMES))
def test_outside_things_have_one_home(package: str) -> None:
    users = {name for name, tree in modules().items() if any(i.split(".")[0] == package for i in imports(tree))}
    assert users == HOMES[package]


def test_links_are_followed_where_those_in_a_circle_are_known() -> None:
    following = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "resolve"
    }
    # Those behind the first follow the current folder, and our own.
    assert following == {"system.files", "options", "parallel.child", "commands.doctor"}


def test_only_what_people_read_is_printed() -> None:
    printing = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == PRINTING


def test_functions_take_few_parameters() -> None:
    """More of them travel in a record."""
    counts = {
        f"{name}.{node.name}": len({*arguments} - {"self", "cls"})
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for arguments in [[a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)]]
    }
    assert {name for name, count in counts.items() if count > MOST_PARAMETERS} == set()


def test_no_two_classes_have_one_name() -> None:
    names = [node.name for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert {name for name in names if names.count(name) > 1} == set()


def test_modules_stay_small() -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: n for name, n in lengths.items() if n > 320} == {}


def test_nothing_depends_on_the_system_it_runs_on() -> None:
    """Text files say their encoding, paths are pathlib's, no command goes through a shell."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                assert node.attr not in ("path", "sep", "system", "popen"), f"{name} uses os.{node.attr}"
            if isinstance(node, ast.Call):
                method, function = getattr(node.func, "attr", ""), getattr(node.func, "id", "")
                options = {keyword.arg for keyword in node.keywords}
                assert "shell" not in options, f"{name}, line {node.lineno}: a shell"
                mode = next((a.value for a in node.args if isinstance(a, ast.Constant) and a.value in MODES), "r")
                if method in ("read_text", "write_text") or (function == "open" and "b" not in str(mode)):
                    assert "encoding" in options, f"{name}, line {node.lineno}: no encoding"


def test_each_test_that_the_threats_name_is_there_once() -> None:
    named = set(re.findall(r"[\w/]*test_\w+\.py", (PACKAGE.parent / "docs" / "threats.md").read_text(encoding="utf-8")))
    there = [path.relative_to(PACKAGE.parent).as_posix() for path in (PACKAGE.parent / "tests").rglob("test_*.py")]
    assert len(named) > 20
    assert {name for name in named if sum(f"/{path}".endswith(f"/{name}") for path in there) != 1} == set()
