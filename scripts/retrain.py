#!/usr/bin/env python3
"""Learn the classes of the pictures in --image_dir, with the flags of 2017 and 2018. See docs/from-2018.md."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run from a clone, the package beside this folder is meant.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from audionet.legacy.scripts import retrain

    sys.exit(retrain())
