"""How the files of a model are called, and which models a folder holds."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

ARTICLES = "retrained_graph"  # the graph of the article that AudioNet follows, whose classes are retrained_labels.txt


def labels_beside(graph: Path) -> Path:
    """The file of a graph's classes: `retrained_labels.txt` for `retrained_graph.pb`, `x_labels.txt` for `x.pb`."""
    return graph.with_name("retrained_labels.txt" if graph.stem == ARTICLES else f"{graph.stem}_labels.txt")


def report_beside(graph: Path, name: str) -> Path:
    """The place of a report on a graph: `report.html` for `retrained_graph.pb`, `x-report.html` for `x.pb`."""
    return graph.with_name(name if graph.stem == ARTICLES else f"{graph.stem}-{name}")


@dataclass(frozen=True)
class ModelFiles:
    """Where a model's files lie: the `--output-graph` for TensorFlow, and beside it, with other suffixes, the LiteRT
    network and the description."""

    graph: Path
    network: Path
    description: Path
    labels: Path

    @classmethod
    def beside(cls, graph: Path, labels: Path | None = None) -> "ModelFiles":
        """The files for `--output-graph` (or `--graph`) and `--output-labels` (or `--labels`)."""
        network, description = graph.with_suffix(".tflite"), graph.with_suffix(".json")
        pb = graph.with_suffix(".pb") if graph in (network, description) else graph
        return cls(pb, network, description, labels or labels_beside(graph))

    def by_content(self, network_sha256: str) -> Path:
        """Where a network lies from before its description is there until it takes its usual name."""
        return self.network.with_name(f"{self._beginning}{network_sha256[:16]}{self.network.suffix}")

    def left_over(self) -> list[Path]:
        """Networks of runs that were killed at that moment; not those of a model whose name begins like this one's."""
        name = re.compile(rf"{re.escape(self._beginning)}[0-9a-f]{{16}}{re.escape(self.network.suffix)}")
        return [path for path in self.network.parent.glob(f".*{self.network.suffix}") if name.fullmatch(path.name)]

    @property
    def _beginning(self) -> str:
        return f".{self.network.stem}-"


def models_in(folder: Path) -> list[Path]:
    """The models that lie in a folder, as --graph names them: `retrained_graph` alone if it is there.

    None in what is no folder, or is a SavedModel itself.
    """
    try:
        names = sorted(os.listdir(folder)) if folder.is_dir() else []
    except (OSError, ValueError):
        return []
    if "saved_model.pb" in names:
        return []
    paths = [folder / name for name in names if not name.startswith(".")]
    # Of a model of ours, `label` needs the .tflite and the .json; of one of 2018 there is a .pb alone.
    stems = {path.stem for path in paths if path.suffix == ".pb" or f"{path.stem}.tflite" in names}
    stems = {ARTICLES} if ARTICLES in stems else stems
    return [folder / f"{stem}.pb" for stem in sorted(stems)]
