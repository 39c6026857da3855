"""TensorFlow, started quietly and only when it is needed: it takes several seconds."""

import os
from typing import Any

from audionet.quiet import quiet_stderr


def start_tensorflow() -> Any:
    """TensorFlow without its start-up notes, on the processor, giving the same result every time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a layer this small is trained before a GPU has started
    with quiet_stderr():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.zeros(())  # starts the runtime, which has its own notes to write
    return tf
