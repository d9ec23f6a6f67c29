"""The recordings are the shipped ones, split by number, and a damaged file is noticed."""

import hashlib
import wave

import numpy as np
import pytest
import torch

from genai_utils.data import sound
from tools import make_sound


def test_four_voices_say_the_numbers_from_0_to_20_and_the_splits_share_none():
    train, test = sound.spoken_numbers(), sound.spoken_numbers("test")
    assert len(train) == 64 and len(test) == 20
    assert sorted(set(train.numbers.tolist()) | set(test.numbers.tolist())) == list(range(21))
    assert not set(train.numbers.tolist()) & set(test.numbers.tolist())
    for words in (train, test):
        assert words.voices.bincount().tolist() == [len(words) // 4] * 4


@pytest.mark.parametrize("split, seconds", [("train", 40), ("test", 13)])
def test_the_words_are_seconds_of_loud_sound_in_16_bits(split, seconds):
    words = sound.spoken_numbers(split)
    lengths = [len(samples) for samples in words.waves]
    assert round(sum(lengths) / sound.RATE) == seconds
    assert min(lengths) / sound.RATE > 0.2 and max(lengths) / sound.RATE < 1.1
    assert all(samples.dtype == torch.int16 and samples.abs().max() > 5_000 for samples in words.waves)


def test_one_voice_is_chosen_by_its_name():
    italian = sound.spoken_numbers().of("Italian")
    assert len(italian) == 16 and set(italian.voices.tolist()) == {2} and 0 in italian.numbers
    assert torch.equal(italian.waves[0], sound.spoken_numbers().waves[32])


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', got 'valid'"):
        sound.spoken_numbers("valid")
    with pytest.raises(ValueError, match="one of 'English', 'French', 'Italian', 'Russian', got 'Klingon'"):
        sound.spoken_numbers().of("Klingon")


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    damaged = tmp_path / "sound.npz"
    damaged.write_bytes(sound.FILE.read_bytes()[:-1])
    monkeypatch.setattr(sound, "FILE", damaged)
    with pytest.raises(ValueError, match="sha256 .* reinstall"):
        sound.spoken_numbers()


def test_the_licence_of_the_recordings_is_beside_them():
    text = sound.FILE.with_name("LICENSE-sound").read_text(encoding="utf-8")
    assert "Attribution-ShareAlike 3.0" in text and "Attribution 3.0" in text and "sound.npz" in text


# The script


def record(file, samples, rate=8_000):
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(rate)
        out.writeframes(np.asarray(samples, "<i2").tobytes())


def test_silence_is_cut_and_samples_are_kept():
    word = np.array([301, -400, 7, 25_000, 5, -32_768], np.int16)
    padded = np.concatenate([np.full(500, 20, np.int16), word, np.full(90, -20, np.int16)])
    assert np.array_equal(make_sound.trimmed(padded), padded[300:])


def test_the_script_writes_what_is_read_back(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    spoken = rng.integers(-32_768, 32_768, (84, 50)).astype(np.int16)
    for i, samples in enumerate(spoken):
        record(tmp_path / make_sound.FOLDERS[i // 21] / "digits" / f"{i % 21}.wav", samples)
    file = tmp_path / "sound.npz"
    monkeypatch.setattr("sys.argv", ["make_sound.py", str(tmp_path), "--output", str(file)])
    make_sound.main()
    monkeypatch.setattr(sound, "FILE", file)
    monkeypatch.setattr(sound, "SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    words = sound.spoken_numbers()
    assert words.numbers[:4].tolist() == [0, 1, 2, 4]
    assert all(np.array_equal(a, b) for a, b in zip(words.of("French").waves[:3], spoken[21:24], strict=True))


def test_another_rate_is_refused(tmp_path):
    record(tmp_path / "1.wav", [0, 1], rate=16_000)
    with pytest.raises(ValueError, match="8,000 samples a second, got .*16000"):
        make_sound.read(tmp_path / "1.wav")
