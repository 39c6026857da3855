import numpy as np
import pytest

from audionet.errors import AudionetError
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, TRANSFORM_SAMPLES, PictureSettings
from audionet.spectrogram.filter_bank import make_color_table, make_filter_bank, pack, unpack


def librosas_mel(sample_rate_hz: int) -> np.ndarray:
    from librosa.filters import mel

    return np.asarray(mel(sr=sample_rate_hz, n_fft=TRANSFORM_SAMPLES["mel"], n_mels=PICTURE_SIZE))


def test_the_shipped_mel_filter_bank_is_librosas() -> None:
    expected = librosas_mel(SAMPLE_RATE_HZ)
    assert np.allclose(make_filter_bank("mel"), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("sample_rate_hz", [8000, 22_050, 44_100, 48_000])
def test_mel_filter_banks_of_other_rates_are_librosas_too(sample_rate_hz: int) -> None:
    expected = librosas_mel(sample_rate_hz)
    assert np.allclose(make_filter_bank("mel", sample_rate_hz), expected, rtol=1e-4, atol=1e-9)


def test_above_what_people_hear_the_mel_scale_is_stretched() -> None:
    assert np.array_equal(make_filter_bank("mel", 384_000), make_filter_bank("mel", 48_000))


@pytest.mark.parametrize("sample_rate_hz", [8000, 16_000, 44_100, 96_000, 384_000])
def test_every_row_of_every_bank_hears_something(sample_rate_hz: int) -> None:
    for representation in ("mel", "spectrogram", "chromagram"):
        bank = make_filter_bank(representation, sample_rate_hz)
        bins = PictureSettings(representation=representation).transform_samples // 2 + 1
        assert bank.shape == (PICTURE_SIZE, bins)
        assert (bank.sum(axis=1) > 0).all()


def test_linear_rows_share_the_spectrum_without_gap_or_overlap() -> None:
    assert np.allclose(make_filter_bank("spectrogram").sum(axis=0), 1, atol=1e-4)


def test_an_unknown_colour_map_is_refused_with_names_to_try() -> None:
    assert make_color_table("gray") is None
    with pytest.raises(AudionetError, match="--colormap virdis: no such colour map; try one of gray, viridis"):
        make_color_table("virdis")


def test_arrays_survive_as_text() -> None:
    bank = make_filter_bank("mel")
    found = unpack(pack(bank), np.float32, bank.shape)
    assert found is not None
    assert np.array_equal(found, bank)
    assert unpack(pack(None), np.float32, (1,)) is None


def test_text_that_unpacks_to_more_than_expected_is_refused() -> None:
    text = pack(np.zeros(10**6, np.uint8))
    with pytest.raises(ValueError, match="expected 768 bytes"):
        unpack(text, np.uint8, (256, 3))
