"""Which classes are the background that events stand out of."""

import re
from collections.abc import Sequence

from audionet.dataset.names import class_number
from audionet.errors import AudionetError

# Classes of these names are the background unless others are named, whatever stands around their words: Google's Speech
# Commands has `_background_noise_`.
BACKGROUND_NAMES = ("background", "noise", "background noise", "nocall", "no call")
BETWEEN_WORDS = re.compile(r"[\W_]+")


def background_classes(labels: Sequence[str], asked_for: Sequence[str] = (), owner: str = "the model") -> set[str]:
    """Which of an owner's classes are the background. Raises AudionetError for a name that is no class's."""
    if not asked_for:
        usual = {label for label in labels if BETWEEN_WORDS.sub(" ", label.casefold()).strip() in BACKGROUND_NAMES}
        return usual if usual < set(labels) else set()
    found = {labels[class_number(name, labels, "--background ", owner)] for name in asked_for}
    if found == set(labels):
        raise AudionetError("--background: names all classes; leave out those whose events you look for")
    return found
