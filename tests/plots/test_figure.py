from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from audionet.errors import AudionetError
from audionet.plots.figure import check_figure_path, figure_in_file
from audionet.system.text import shortened


def test_long_names_keep_their_start_and_end() -> None:
    assert shortened("a" * 50 + "end", 11) == "aaaaa…aaend"
    assert shortened("short", 11) == "short"


def test_a_figure_is_the_same_bytes_each_time_and_says_what_is_wrong(tmp_path: Path) -> None:
    for suffix in (".png", ".svg", ".pdf"):
        for name in ("one", "two"):
            with figure_in_file(tmp_path / f"{name}{suffix}", 2, 1) as figure:
                figure.text(0.5, 0.5, "$name$ \N{CJK UNIFIED IDEOGRAPH-97F3}")
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert image.size == (200, 100)
        assert np.asarray(image.convert("L")).min() < 128
    with (
        matplotlib.rc_context(
            {"text.usetex": True, "savefig.transparent": True, "font.size": 40}
        ),  # as somebody has it
        figure_in_file(tmp_path / "two.png", 2, 1) as figure,
    ):
        figure.text(0.5, 0.5, "$name$ \N{CJK UNIFIED IDEOGRAPH-97F3}")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with pytest.raises(AudionetError, match=r"clip.gif: must end in .png, .svg, .pdf; name it clip.png"):
        check_figure_path(Path("clip.gif"))
