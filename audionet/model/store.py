"""The trained model on disk: a description, which alone makes it a model, a network for LiteRT, and exports.

A model is replaced by one rename, that of its description, which names its network by its checksum. The network is
there before, under a name of its content; whoever finds the old description finds the old network too, and the new
one the new. The frozen graph and the file of labels are exports: `label` needs neither.
"""

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from audionet.bottleneck.backbone import LARGEST_NETWORK_BYTES
from audionet.errors import AudionetError, explaining
from audionet.model.description import ModelDescription, TrainedNetwork, labels_file
from audionet.model_files import ModelFiles
from audionet.parallel.provenance import remember_network
from audionet.system.files import json_bytes, read_json, read_limited, sweep, write_in_order
from audionet.system.untrusted import Refused

LARGEST_DESCRIPTION_BYTES = 64 << 20  # of a model, and of its labels
REMEDY = "train it again with audionet retrain"
DAMAGED = f"damaged, or of another version of audionet; get it anew, update audionet, or {REMEDY}"
# Between a reader's look at the description and at the network, `retrain` may replace both.
READINGS, READ_AGAIN_SECONDS = 20, 0.05


def save_model(files: ModelFiles, network: TrainedNetwork, description: ModelDescription) -> None:
    """Write a model, whose network the description is of, in the place of an old one.

    Killed at any moment, it leaves the old model or the new one. Raises AudionetError when the disk refuses.
    """
    remember_network(description.network_sha256)  # first, for a run that is killed
    by_content = files.by_content(description.network_sha256)
    write_in_order(
        [
            (by_content, network.flatbuffer),
            (files.description, json_bytes(description.to_json())),  # from here on, it is the new model
            (files.network, network.flatbuffer),
            (files.graph, network.graph),
            (files.labels, labels_file(description)),
        ]
    )
    delete_left_over(files)


def delete_left_over(files: ModelFiles) -> None:
    """Delete what runs that were killed have left of a model, once all of it has its usual names."""
    for path in files.left_over():
        with suppress(OSError):
            path.unlink()
    sweep(files.description.parent)


def read_description(path: Path) -> ModelDescription:
    """The description in a file. Raises OSError, or Refused if it is none."""
    return ModelDescription.from_json(read_json(path, LARGEST_DESCRIPTION_BYTES))


def require_description(path: Path) -> ModelDescription:
    """As `read_description`. Raises AudionetError for what is none, or can't be read."""
    with explaining(f"{path}: {DAMAGED}", OSError, Refused):
        return read_description(path)


def read_model(files: ModelFiles) -> tuple[ModelDescription, bytes] | None:
    """The description and the network, if they are there and fit each other; else None."""
    with suppress(OSError, Refused):
        description = read_description(files.description)
        for path in (files.network, files.by_content(description.network_sha256)):
            with suppress(OSError, Refused):
                network = read_limited(path, LARGEST_NETWORK_BYTES)
                if hashlib.sha256(network).hexdigest() == description.network_sha256:
                    return description, network
    return None


def read_patiently(files: ModelFiles) -> tuple[ModelDescription, bytes]:
    """As `read_model`, tried a few times, since `retrain` may be replacing them. Raises AudionetError for none."""
    for _ in range(READINGS):
        content = read_model(files)
        if content is not None:
            return content
        time.sleep(READ_AGAIN_SECONDS)
    require_description(files.description)
    with explaining(f"{files.network}: cannot be read", OSError, Refused, remedy="name another with --graph"):
        read_limited(files.network, LARGEST_NETWORK_BYTES)
    raise AudionetError(f"{files.description}: does not fit {files.network.name}; {REMEDY}")
