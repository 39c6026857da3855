"""The shape of the package: who may import whom, and where outside things are allowed in."""

import ast
import functools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "audionet"

# A module may import from the levels above its own line, never from its own level or below.
LEVELS = [
    {"errors", "printable", "progress", "quiet", "interruption", "suggestions"},
    {"tensorflow_runtime", "locks", "terminal"},
    {"settings", "files", "confusion", "archives", "loudness"},
    {"ffmpeg", "chunks", "filter_bank", "pictures", "split", "trunk", "workers", "digests", "data_checks"},
    {"retrain_groups", "alike", "microphone", "calibration", "discriminant", "softmax", "spectrogram", "cluster"}
    | {"bottleneck_cache"},
    {"variations", "dataset", "graft", "space", "figures", "trials", "ticks"},
    {"metadata", "bottlenecks", "picture_index", "classifier", "graph_def", "frozen_graph", "distortions"},
    {"coordinates", "held_out", "hub", "sources"},
    {"saved_model", "confusion_picture", "model_card"},
    {"model", "exports", "summaries"},
    {"clips", "contact_sheet"},
    {"segments", "arrivals", "report.content", "report.words"},
    {"report.charts", "report.excerpts"},
    {"report.page", "report.training", "report.evaluation"},
    {"repetition"},
    {"commands.prepare", "commands.retrain", "commands.label", "commands.evaluate", "commands.data_maker"},
    {"commands.doctor", "commands.listen", "plain_parser"},
    {"common_options", "completion"},
    {"self_help"},
    {"clip_printers", "clip_plot", "parser", "old_flags"},
    {"console", "live_printers"},
    {"live"},
    {"cli"},
    {"old_scripts"},
    {"__main__"},
]
MODES = ("r", "w", "a", "x", "rb", "wb", "ab", "xb", "r+", "r+b")
# Each outside thing has one home (and filter_bank, which makes banks and colours once, librosa's and matplotlib's;
# figures has the latter too).
HOMES = {
    "subprocess": {"ffmpeg", "microphone"},
    "imageio_ffmpeg": {"ffmpeg"},
    "tensorflow": {"tensorflow_runtime"},
    "tensorflow_hub": {"hub"},
    "ai_edge_litert": {"trunk", "graft", "graph_def"},
    "pydub": {"chunks"},
    "librosa": {"filter_bank"},
    "matplotlib": {"filter_bank", "figures"},
    "PIL": {"pictures", "confusion_picture"},
    "distributed": {"cluster"},
    "tqdm": {"terminal"},
    "colorama": {"terminal"},
    "shtab": {"completion"},
    "jinja2": {"report.page"},
}


@functools.cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if not name.endswith("__init__"):
            found[name] = ast.parse(path.read_text())
    return found


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


def test_every_module_has_a_level() -> None:
    assert set().union(*LEVELS) == set(modules())


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_go_one_way(name: str) -> None:
    level = next(n for n, names in enumerate(LEVELS) if name in names)
    below = set().union(*LEVELS[level:])
    for imported in imports(modules()[name]):
        assert imported.removeprefix("audionet.") not in below, f"{name} imports {imported}"


@pytest.mark.parametrize("package", sorted(HOMES))
def test_outside_things_have_one_home(package: str) -> None:
    users = {name for name, tree in modules().items() if any(i.split(".")[0] == package for i in imports(tree))}
    assert users == HOMES[package]


def test_only_what_people_read_is_printed() -> None:
    printing = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == {"console", "clip_printers", "live_printers"}


def test_modules_stay_small() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
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
