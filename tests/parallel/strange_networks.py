"""Networks that misbehave, to be run in a process of their own: the content says how."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from audionet.parallel.sandbox import serve


class Strange:
    """Two scores and a distance; for a picture that is not black, whatever its name says."""

    def __init__(self, content: bytes, where: Path, options: dict[str, Any]) -> None:
        self.name = content.decode().strip()
        self.output_shapes: list[tuple[int, ...]] = [(2,), ()]
        if self.name == "no network":
            raise ValueError("this is none")
        if self.name == "endless at once":
            time.sleep(1000)
        self.path, self.options = where, options

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        brightest = int(picture.max())
        if self.name == "endless" and brightest:
            while True:
                time.sleep(0.001)
        if self.name == "fails":
            raise RuntimeError("of its\nown accord")
        if self.name == "crashes":
            os.abort()
        if self.name == "memory":
            return [np.ones(3 << 28, np.float32)[:2], np.zeros(())]  # 3 GB
        if self.name == "writes":
            Path(self.options["target"]).write_text("x", encoding="utf-8")
        if self.name == "long":
            return [np.zeros(1 << 20), np.zeros(())]
        shown = {"grows": np.full(2 + brightest, 0.5), "no numbers": np.full(2, np.nan)}
        return [shown.get(self.name, np.array([brightest / 255, 1 - brightest / 255])), np.array(picture.shape[0])]


if __name__ == "__main__":
    serve(lambda: None, Strange)
