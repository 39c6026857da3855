from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import Interpreter, load_backbone
from audionet.model.litert import ClassifierHead, attach_head, read_head


@pytest.mark.parametrize("directions", [0, 1, 3])
def test_an_attached_head_scores_as_backbone_and_layer_do(directions: int) -> None:
    backbone = load_backbone("rows", Path())
    interpreter = Interpreter(backbone.flatbuffer)
    random = np.random.default_rng(0)
    (size,) = interpreter.output_shapes[0]
    layer = ClassifierHead(
        random.normal(0, 0.05, (size, 5)).astype(np.float32),
        random.normal(0, 1, 5).astype(np.float32),
        random.normal(0, 0.1, size).astype(np.float32),
        noise=np.linalg.qr(random.normal(0, 1, (size, directions))).Q.astype(np.float32) if directions else None,
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
        difference = bottleneck - layer.centroid
        along = 0 if layer.noise is None else np.square(difference @ layer.noise).sum()
        assert np.isclose(distance, (difference**2).sum() - along, rtol=1e-4)
        assert np.isclose(layer.squared_distances(bottleneck[None])[0], distance, rtol=1e-4)
    assert attach_head(backbone, layer) == network


@pytest.mark.parametrize("directions", [0, 1, 4])
def test_the_head_of_our_own_network_is_read_and_no_others(directions: int) -> None:
    backbone = load_backbone("rows", Path())
    features, classes = 37_758, 3
    random = np.random.default_rng(0)
    shapes = (features, classes), classes, features, (features, classes), classes, (features, directions)
    head = ClassifierHead(*(random.normal(0, 1, shape).astype(np.float32) for shape in shapes))
    head = head if directions else replace(head, noise=None)
    network = attach_head(backbone, head)
    found = read_head(network, backbone, (features, classes), has_events=True)
    assert found is not None
    for part in ("weights", "biases", "centroid", "event_weights", "event_biases", "noise"):
        np.testing.assert_array_equal(getattr(found, part), getattr(head, part))
    assert read_head(network, backbone, (features, classes)) is None
    assert read_head(network, backbone, (features, classes + 1), has_events=True) is None
    assert read_head(b"", backbone, (features, classes)) is None
    changed = bytearray(network)
    changed[-200_000] ^= 1  # one bit of the backbone's own
    assert read_head(bytes(changed), backbone, (features, classes), has_events=True) is None
