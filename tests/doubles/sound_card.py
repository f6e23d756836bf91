"""A real sound card without a wire: a PulseAudio server of the test's own, with a loudspeaker and a microphone.

What a program plays goes into the sink `speaker`; what is played into the sink `micfeed` is what its microphone hears.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RATE_HZ = 16000
NEEDED = ("pulseaudio", "paplay", "parec")
_SINKS = ("speaker", "micfeed")


def missing() -> str:
    """Why there can be no sound card here; '' when there can."""
    absent = [program for program in NEEDED if shutil.which(program) is None]
    if absent:
        return f"{', '.join(absent)} not installed (apt-get install pulseaudio pulseaudio-utils libasound2-plugins)"
    return ""


class SoundCard:
    """`environment` makes a program's PortAudio find this card (device 'pulse') and no other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {
            **os.environ,
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_RUNTIME_PATH": str(folder / "run"),
            "PULSE_SOURCE": "micfeed.monitor",
            "PULSE_SINK": "speaker",
            "PULSE_LATENCY_MSEC": "100",
        }

    def say(self, wav: Path) -> None:
        """Play a WAV file into the microphone; returns when it has been played."""
        subprocess.run(["paplay", "--device=micfeed", str(wav)], env=self.environment, check=True, timeout=120)

    @contextmanager
    def recording(self, raw: Path) -> Iterator[None]:
        """What comes out of the loudspeaker goes into `raw` (s16le mono at RATE_HZ)."""
        command = ["parec", "-d", "speaker.monitor", f"--rate={RATE_HZ}", "--channels=1", "--format=s16le"]
        with raw.open("wb") as out:
            recorder = subprocess.Popen(command, env=self.environment, stdout=out)
        try:
            yield
        finally:
            recorder.terminate()
            recorder.wait(10)


@contextmanager
def sound_card(folder: Path) -> Iterator[SoundCard]:
    """A sound card that lives as long as the context. `folder` must have a short path (it holds a socket)."""
    # norewinds: without it the audio of a null sink is silently warped in time
    lines = [f"load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native"]
    lines += [f"load-module module-null-sink sink_name={sink} rate={RATE_HZ} channels=1 norewinds=1" for sink in _SINKS]
    (folder / "card.pa").write_text("\n".join(lines) + "\n")
    card = SoundCard(folder)
    command = ["pulseaudio", "-n", "-F", str(folder / "card.pa"), "--daemonize=no", "--exit-idle-time=-1"]
    command += ["--use-pid-file=no", "--realtime=no", "--high-priority=no"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=card.environment, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while not (folder / "native").exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.05)
        yield card
    finally:
        server.terminate()
        server.wait(10)
