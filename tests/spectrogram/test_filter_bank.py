import numpy as np
import pytest

from audionet.errors import AudionetError
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, TRANSFORM_SAMPLES, PictureSettings
from audionet.spectrogram.filter_bank import make_color_table, make_filter_bank, pack, unpack


def librosas_mel(sample_rate_hz: int) -> np.ndarray:
    from librosa.filters import mel

    return np.asarray(mel(sr=sample_rate_hz, n_fft=TRANSFORM_SAMPLES["mel"], n_mels=PICTURE_SIZE))


@pytest.mark.parametrize(  # that of SAMPLE_RATE_HZ is shipped
    ("sample_rate_hz", "off"), [(SAMPLE_RATE_HZ, 1e-5), (8000, 1e-4), (22_050, 1e-4), (44_100, 1e-4), (48_000, 1e-4)]
)
def test_mel_filter_banks_are_librosas(sample_rate_hz: int, off: float) -> None:
    assert np.allclose(make_filter_bank("mel", sample_rate_hz), librosas_mel(sample_rate_hz), rtol=off, atol=1e-9)


def test_above_what_people_hear_the_mel_scale_is_stretched() -> None:
    assert np.array_equal(make_filter_bank("mel", 384_000), make_filter_bank("mel", 48_000))


# What librosa 0.11 gives in librosa.filters.chroma(sr=16_000, n_fft=2048), by bin: the twelve classes from C to B.
# (To call it here would take 20 seconds in a new installation, for it compiles itself.)
LIBROSAS_CHROMA = {
    0: "4.6132e-5 4.8896e-5 5.1190e-5 5.2933e-5 5.4065e-5 5.4543e-5 5.4350e-5 5.3493e-5 5.2004e-5 4.9936e-5 4.7362e-5 "
    "4.4369e-5",
    1: "9.9616e-4 9.6118e-4 9.0202e-4 8.2331e-4 7.3088e-4 6.3105e-4 6.8887e-4 7.8523e-4 8.7054e-4 9.3868e-4 9.8443e-4 "
    "1.0041e-3",
    9: "5.8191e-2 1.4375e-1 1.0671e-1 2.3806e-2 1.5961e-3 3.2158e-5 1.9471e-7 3.5429e-10 9.3887e-9 2.8435e-6 2.5881e-4 "
    "7.0792e-3",
    56: "4.0096e-9 2.2471e-15 2.3065e-23 4.9374e-31 1.1929e-21 5.2789e-14 4.2786e-8 6.3515e-4 1.7270e-1 8.6001e-1 "
    "7.8442e-2 1.3104e-4",
    1024: "8.5035e-2 4.9433e-4 5.2632e-8 1.0264e-13 3.6660e-21 2.3983e-30 7.2838e-25 1.1216e-16 3.1634e-10 1.6341e-5 "
    "1.5461e-2 2.6792e-1",
}


@pytest.mark.parametrize("bin_number", LIBROSAS_CHROMA)
def test_the_rows_of_a_chromagram_are_librosas_pitch_classes(bin_number: int) -> None:
    expected = np.array(LIBROSAS_CHROMA[bin_number].split(), float)
    rows = make_filter_bank("chromagram", SAMPLE_RATE_HZ)[:, bin_number]
    assert rows[np.arange(12) * PICTURE_SIZE // 12 + 1] == pytest.approx(expected, rel=1e-4)
    assert len(np.unique(rows)) == 12  # each class is a band of equal rows


@pytest.mark.parametrize("sample_rate_hz", [16_000, 48_000])
def test_a_bin_belongs_most_to_the_pitch_class_of_its_frequency(sample_rate_hz: int) -> None:
    rows = make_filter_bank("chromagram", sample_rate_hz)
    for bin_number in range(40, 300):
        semitones = 12 * np.log2(bin_number * sample_rate_hz / TRANSFORM_SAMPLES["chromagram"] / 440) + 9  # above C
        if abs(semitones - np.rint(semitones)) < 0.4:
            loudest = rows[:, bin_number].argmax() * 12 // PICTURE_SIZE
            assert loudest == np.rint(semitones) % 12, bin_number


@pytest.mark.parametrize("sample_rate_hz", [8000, 16_000, 44_100, 96_000, 384_000])
def test_every_row_of_every_bank_hears_something(sample_rate_hz: int) -> None:
    for representation in ("mel", "spectrogram", "chromagram"):
        bank = make_filter_bank(representation, sample_rate_hz)
        bins = PictureSettings(representation=representation).transform_samples // 2 + 1
        assert bank.shape == (PICTURE_SIZE, bins)
        assert (bank.sum(axis=1) > 0).all()


def test_linear_rows_share_the_spectrum_without_gap_or_overlap() -> None:
    assert np.allclose(make_filter_bank("spectrogram", SAMPLE_RATE_HZ).sum(axis=0), 1, atol=1e-4)


def test_an_unknown_colour_map_is_refused_with_names_to_try() -> None:
    assert make_color_table("gray") is None
    with pytest.raises(AudionetError, match="--colormap virdis: no such colour map; try one of gray, viridis"):
        make_color_table("virdis")


def test_arrays_survive_as_text() -> None:
    bank = make_filter_bank("mel", SAMPLE_RATE_HZ)
    found = unpack(pack(bank), np.float32, bank.shape)
    assert found is not None
    assert np.array_equal(found, bank)
    assert unpack(pack(None), np.float32, (1,)) is None


def test_text_that_unpacks_to_more_than_expected_is_refused() -> None:
    text = pack(np.zeros(10**6, np.uint8))
    with pytest.raises(ValueError, match="expected 768 bytes"):
        unpack(text, np.uint8, (256, 3))
