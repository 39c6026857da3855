"""What values the options of the commands may have, and what is said of those that they may not have."""

import re
from typing import Any

from audionet.errors import AudionetError
from audionet.settings import OWN_FOLDS
from audionet.values import LARGEST_COUNT, Rule, flag, nearest_there, one_of, within

BOTTLENECK = one_of(("rows", "pool_3"))
EMBEDDED = "inception_v3"  # the architecture of the network inside the package
# Networks that Google has on TensorFlow Hub, as they are called there and as retrain.py of 2017 called them.
ARCHITECTURES = (
    r"mobilenet_v[12]_\d{3}_\d{3}|mobilenet_v3_(small|large)_\d{3}_\d{3}|mobilenet_\d\.\d+_\d{3}|inception_v[123]"
    r"|inception_resnet_v2|resnet_v[12]_(50|101|152)|p?nasnet_(mobile|large)|amoebanet_a_n18_f448"
)
AT_LEAST_1 = Rule(lambda number: number >= 1, "must be at least 1")
NOT_NEGATIVE = Rule(lambda number: number >= 0, "must not be below 0")
SECONDS = Rule(lambda seconds: 0 <= seconds < float("inf"), "must be at least 0 seconds")
SCORE = Rule(lambda score: 0 < score <= 1, "must be over 0 and at most 1, as scores are")
BATCH = Rule(lambda size: size == -1 or size >= 1, "must be at least 1, or -1 for all")
PER_CENT = Rule(lambda share: 0 <= share <= 100, "must be from 0 to 100 per cent")
UNDER_100 = Rule(lambda share: 0 <= share < 100, "must be from 0 to under 100")
NAMED = Rule(lambda path: path.name not in ("", ".."), "must end in a name, such as birds")
LEARNING_RATE = Rule(lambda rate: 0 < rate < float("inf"), "must be over 0")
FOLDS = Rule(lambda count: count == OWN_FOLDS or count >= 2, "must be at least 2, or no number for the data set's own")
SEED = within(0, LARGEST_COUNT)
DIGEST = Rule(lambda digits: re.fullmatch(r"[0-9a-f]{64}", digits), "must be 64 hexadecimal digits in lower case")
ARCHITECTURE = Rule(
    lambda name: re.fullmatch(ARCHITECTURES, name),
    f"only {EMBEDDED} is built in; from TensorFlow Hub come mobilenet_v2_100_224, resnet_v2_50 and the like, and "
    "any other by its address with --tfhub-module",
)
TENSOR_NAME = Rule(
    lambda name: re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", name),
    "letters, digits and _ . - / are what TensorFlow allows",
)


FOLDER = Rule(
    lambda path: nearest_there(path).is_dir(), "must be a folder, and a file is there, or above it; name another"
)


def check_network(options: Any) -> None:
    """Raise AudionetError unless RetrainOptions name one network, and say of it what can be said."""
    if options.tfhub_sha256 is not None and options.tfhub_module is None and options.architecture == EMBEDDED:
        raise AudionetError("--tfhub-sha256 is of a module; name it with --tfhub-module or --architecture")
    if options.backbone is not None and (options.tfhub_module is not None or options.architecture != EMBEDDED):
        raise AudionetError("--backbone, --tfhub-module and --architecture each name a network: choose one")
    if options.backbone is None and options.tfhub_module is None:
        for name in ("backbone_output", "backbone_sample_rate"):
            if getattr(options, name) is not None:
                raise AudionetError(
                    f"{flag(name)} is of a network from sound; name it with --backbone or --tfhub-module"
                )
