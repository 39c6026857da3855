#!/usr/bin/env python3
"""How often the model is right on ../tf_files/test_audio, as in 2018. See docs/from-2018.md."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run from a clone, the package beside this folder is meant.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from audionet.legacy.scripts import evaluate

    sys.exit(evaluate())
