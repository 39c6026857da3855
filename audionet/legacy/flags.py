"""The flags of the scripts of 2017 and 2018, and what each is called today.

docs/from-2018.md shows them as tables, and says where they differ.
"""

import argparse
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flag:
    """One flag of an old script.

    name: as it was typed, without dashes.
    today: the option of today, with its command; or what takes its place.
    default: of the script; None is today's.
    kind: what it takes: a type, or bool for a flag that takes nothing.
    """

    name: str
    today: str
    default: Any = None
    kind: type = str


RETRAIN = (
    Flag("image_dir", "retrain --image-dir"),
    Flag("output_graph", "retrain --output-graph", "/tmp/output_graph.pb"),
    Flag("intermediate_output_graphs_dir", "retrain --intermediate-output-graphs-dir", "/tmp/intermediate_graph/"),
    Flag("intermediate_store_frequency", "retrain --intermediate-store-frequency", 0, int),
    Flag("output_labels", "retrain --output-labels", "/tmp/output_labels.txt"),
    Flag("summaries_dir", "retrain --summaries-dir", "/tmp/retrain_logs"),
    Flag("how_many_training_steps", "retrain --steps", 4000, int),
    Flag("learning_rate", "retrain --learning-rate", None, float),
    Flag("testing_percentage", "retrain --testing-percentage", 10, float),
    Flag("validation_percentage", "retrain --validation-percentage", 10, float),
    Flag("eval_step_interval", "retrain --eval-step-interval", 10, int),
    Flag("train_batch_size", "retrain --train-batch-size", 100, int),
    Flag("test_batch_size", "retrain --test-batch-size", -1, int),
    Flag("validation_batch_size", "retrain --validation-batch-size", 100, int),
    Flag("print_misclassified_test_images", "retrain --print-misclassified-test-images", False, bool),
    Flag("model_dir", "retrain --model-dir", "/tmp/imagenet"),
    Flag("bottleneck_dir", "retrain --bottleneck-dir", "/tmp/bottleneck"),
    Flag("final_tensor_name", "retrain --final-tensor-name", "final_result"),
    Flag("flip_left_right", "retrain --flip-left-right", False, bool),
    Flag("random_crop", "retrain --random-crop", 0, float),
    Flag("random_scale", "retrain --random-scale", 0, float),
    Flag("random_brightness", "retrain --random-brightness", 0, float),
    Flag("architecture", "retrain --architecture", "inception_v3"),
    Flag("tfhub_module", "retrain --tfhub-module"),
    Flag("saved_model_dir", "retrain --saved-model-dir"),
    Flag("logging_verbosity", "retrain --logging-verbosity", "INFO"),
    Flag("checkpoint_path", "retrain --checkpoint-path"),
)
LABEL_IMAGE = (
    Flag("graph", "label --graph"),
    Flag("labels", "label --labels"),
    Flag("image", "label CLIP"),
    Flag("input_height", "(any of these reads the graph through TensorFlow)", None, int),
    Flag("input_width", "(as above)", None, int),
    Flag("input_mean", "(as above)", None, float),
    Flag("input_std", "(as above)", None, float),
    Flag("input_layer", "(as above)"),
    Flag("output_layer", "(as above)"),
)
DATA_MAKER = (
    Flag("mp3towav", "(ffmpeg alone, or prepare)", False, bool),
    Flag("mkchunks", "prepare", False, bool),
    Flag("spectrogram", "prepare", False, bool),
)
EVALUATE = (
    Flag("graph", "evaluate --graph"),
    Flag("labels", "evaluate --labels"),
    Flag("image_dir", "evaluate DATA_AUDIO_TEST"),
)
SCRIPTS = {"data_maker.py": DATA_MAKER, "retrain.py": RETRAIN, "label_image.py": LABEL_IMAGE, "evaluate.py": EVALUATE}


def old_parser(script: str, description: str) -> argparse.ArgumentParser:
    """A parser of an old script's flags, with its defaults. `--image-dir` is taken for `--image_dir`."""
    parser = argparse.ArgumentParser(prog=script, description=description, allow_abbrev=False)
    for flag in SCRIPTS[script]:
        spellings = list(dict.fromkeys((f"--{flag.name}", f"--{flag.name.replace('_', '-')}")))
        shown = flag.today if " " not in flag.today or flag.today.startswith("(") else f"audionet {flag.today}"
        usual = "" if flag.default in (None, False) else f" (default: {flag.default})"
        described = f"today: {shown}{usual}"
        taken = {"action": "store_true"} if flag.kind is bool else {"type": flag.kind, "default": flag.default}
        parser.add_argument(*spellings, help=described, **taken)
    return parser
