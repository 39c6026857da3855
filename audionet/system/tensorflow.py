"""TensorFlow, started quietly and only when it is needed: it takes several seconds."""

import os
from typing import Any

from audionet.system.stderr import quiet_stderr


def start_tensorflow() -> Any:
    """TensorFlow without its start-up notes, on the processor, giving the same result every time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a layer this small is trained before a GPU has started
    with quiet_stderr():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.zeros(())  # starts the runtime, which has its own notes to write
    return tf


def freeze_function(function: Any) -> Any:
    """A concrete function of TensorFlow's with its variables made constants and the functions it calls written out."""
    with quiet_stderr():
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        return convert_variables_to_constants_v2(function)
