"""Playing a recording on this machine's loudspeaker."""

from __future__ import annotations

import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from voicebot.errors import BadInput, Unavailable

from .transcript import clock

if TYPE_CHECKING:
    from .terminal import Screen

CHUNK_S = 0.1


def play_wav(screen: Screen, path: Path, from_ms: float) -> None:
    """Play 16-bit audio from `from_ms` on; blocks until its end. Raises Unavailable without a way to play it."""
    try:
        import sounddevice
    except ImportError:
        raise Unavailable(
            f'playing needs sounddevice: pip install "voicebot[mic]". Or open the file yourself: {path}'
        ) from None
    except OSError:
        raise Unavailable(
            f"playing needs the PortAudio library (Debian, Ubuntu: apt-get install libportaudio2). "
            f"Or open the file yourself: {path}"
        ) from None
    try:
        recording = wave.open(str(path), "rb")  # noqa: SIM115  # only opening may fail as bad input; closed below
    except (wave.Error, EOFError, OSError) as error:
        raise BadInput(f"{path}: not a readable recording ({error}).") from None
    with recording:
        rate_hz = recording.getframerate()
        first = min(int(from_ms * rate_hz / 1000), recording.getnframes())
        recording.setpos(first)
        screen.talk(f"playing {path} from {clock(first * 1000 / rate_hz)} (Ctrl-C stops)")
        try:
            with sounddevice.RawOutputStream(rate_hz, channels=recording.getnchannels(), dtype="int16") as speaker:
                while chunk := recording.readframes(int(rate_hz * CHUNK_S)):
                    speaker.write(chunk)
                time.sleep(speaker.latency)
        except sounddevice.PortAudioError as error:
            raise Unavailable(f"no loudspeaker here ({error}). Open the file yourself: {path}") from None
