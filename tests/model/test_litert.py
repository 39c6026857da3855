from pathlib import Path

import numpy as np

from audionet.bottleneck.backbone import Interpreter, load_backbone
from audionet.model.litert import ClassifierHead, attach_head, read_head


def test_an_attached_head_scores_as_backbone_and_layer_do() -> None:
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


def test_the_head_of_our_own_network_is_read_and_no_others() -> None:
    backbone = load_backbone("rows", Path())
    features, classes = 37_758, 3
    random = np.random.default_rng(0)
    shapes = (features, classes), classes, features, (features, classes), classes
    head = ClassifierHead(*(random.normal(0, 1, shape).astype(np.float32) for shape in shapes))
    network = attach_head(backbone, head)
    found = read_head(network, backbone, (features, classes), has_events=True)
    assert found is not None
    for part in ("weights", "biases", "centroid", "event_weights", "event_biases"):
        np.testing.assert_array_equal(getattr(found, part), getattr(head, part))
    assert read_head(network, backbone, (features, classes)) is None
    assert read_head(network, backbone, (features, classes + 1), has_events=True) is None
    assert read_head(b"", backbone, (features, classes)) is None
    changed = bytearray(network)
    changed[-200_000] ^= 1  # one bit of the backbone's own
    assert read_head(bytes(changed), backbone, (features, classes), has_events=True) is None
