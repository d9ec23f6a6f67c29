"""Write the spoken numbers that ship with the course from four packages of Debian: 0 to 20, each in four languages.

    apt-get download asterisk-core-sounds-{en,fr,it,ru}-wav
    for package in *.deb; do dpkg -x $package unpacked; done
    python tools/make_sound.py unpacked/usr/share/asterisk/sounds

Silence before and after each word is cut, all but `MARGIN`; the samples themselves are unchanged: int16, 8,000 a
second. They are stored as a row of low bytes and a row of high bytes, which compresses better.
"""

from __future__ import annotations

import argparse
import hashlib
import wave
from pathlib import Path

import numpy as np

FOLDERS = ("en_US_f_Allison", "fr_CA_f_June", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU")
NUMBERS = range(21)
LOUD = 300  # of 32,768: below this it is silence
MARGIN = 200  # samples kept before the first loud one and after the last, 25 ms
FILE = Path(__file__).resolve().parents[1] / "genai_utils" / "data" / "sound.npz"


def read(file: Path) -> np.ndarray:
    """Samples (n,) int16 of a recording.  Raises: ValueError unless it is one channel of 16 bits at 8,000 a second."""
    with wave.open(str(file)) as recording:
        found = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate())
        if found != (1, 2, 8_000):
            raise ValueError(f"{file} must have 1 channel, 2 bytes a sample and 8,000 samples a second, got {found}")
        return np.frombuffer(recording.readframes(recording.getnframes()), np.int16)


def trimmed(samples: np.ndarray) -> np.ndarray:
    """The recording from `MARGIN` before its first loud sample to `MARGIN` after its last."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > LOUD)
    return samples[max(loud[0] - MARGIN, 0) : loud[-1] + MARGIN + 1]


def main() -> None:
    """Write the file and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", type=Path)
    parser.add_argument("--output", type=Path, default=FILE)
    args = parser.parse_args()
    places = [(voice, number) for voice in range(len(FOLDERS)) for number in NUMBERS]
    waves = [trimmed(read(args.sounds / FOLDERS[voice] / "digits" / f"{number}.wav")) for voice, number in places]
    voices, numbers = np.array(places, np.uint8).T
    lengths = np.array([len(samples) for samples in waves])
    halves = np.ascontiguousarray(np.concatenate(waves).astype("<i2").view(np.uint8).reshape(-1, 2).T)
    np.savez_compressed(args.output, halves=halves, lengths=lengths, voices=voices, numbers=numbers)
    content = args.output.read_bytes()
    print(f"{len(waves)} words, {lengths.sum() / 8_000:.1f} s, {len(content):,} bytes")
    print(f"sha256 {hashlib.sha256(content).hexdigest()}: put it into genai_utils/data/sound.py")


if __name__ == "__main__":
    main()
