"""How the files of a model are called, and which model a folder holds."""

import os
from pathlib import Path

ARTICLES = "retrained_graph"  # the graph of the article that AudioNet follows, whose classes are retrained_labels.txt


def labels_beside(graph: Path) -> Path:
    """The file of a graph's classes: `retrained_labels.txt` for `retrained_graph.pb`, `x_labels.txt` for `x.pb`."""
    return graph.with_name("retrained_labels.txt" if graph.stem == ARTICLES else f"{graph.stem}_labels.txt")


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
