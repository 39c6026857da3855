from pathlib import Path

import numpy as np

from audionet.bottleneck.backbone import Interpreter, load_backbone
from audionet.model.litert import ClassifierHead, attach_head


def test_a_grafted_network_scores_as_trunk_and_layer_do() -> None:
    backbone = load_backbone("rows", Path())
    interpreter = Interpreter(backbone.flatbuffer)
    random = np.random.default_rng(0)
    (size,) = interpreter.output_shapes[0]
    layer = ClassifierHead(
        random.normal(0, 0.05, (size, 5)).astype(np.float32),
        random.normal(0, 1, 5).astype(np.float32),
        random.normal(0, 0.1, size).astype(np.float32),
    )
    network = attach_head(backbone, layer)
    whole = Interpreter(network)
    assert whole.output_shapes == [(5,), ()]
    for _ in range(3):
        picture = random.integers(0, 255, (299, 299, 3)).astype(np.uint8)
        bottleneck = interpreter.run(picture)[0]
        exponentials = np.exp(bottleneck @ layer.weights + layer.biases)
        scores, distance = whole.run(picture)
        assert np.allclose(scores, exponentials / exponentials.sum(), atol=1e-4)
        assert np.isclose(distance, ((bottleneck - layer.centroid) ** 2).sum(), rtol=1e-4)
    assert attach_head(backbone, layer) == network
