#!/usr/bin/env python3
"""Make audionet/weights/mel_filter_bank.npz: librosa's mel filter bank, as the default pictures use it.

    python scripts/make_filter_bank.py

It is shipped because librosa takes over a second to start, as long as a small `prepare` takes in all.
"""

from pathlib import Path

import numpy as np
from librosa.filters import mel

from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, TRANSFORM_SAMPLES

OUTPUT = Path(__file__).resolve().parent.parent / "audionet" / "weights" / "mel_filter_bank.npz"


def main() -> None:
    bank = mel(sr=SAMPLE_RATE_HZ, n_fft=TRANSFORM_SAMPLES["mel"], n_mels=PICTURE_SIZE)
    np.savez_compressed(OUTPUT, mel=bank.astype(np.float32))
    print(f"{OUTPUT.name}: {bank.shape[0]} bands x {bank.shape[1]} bins")


if __name__ == "__main__":
    main()
