"""Sound cards, by PortAudio: through the package sounddevice, or through PyAudio where that is the one that works.

Microphone and loudspeaker are two streams, since they may be two machines with two clocks. Each calls back once a
block, from a thread of PortAudio's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from voicebot.errors import BadInput, MissingExtra, Unavailable, did_you_mean

Package = Literal["sounddevice", "pyaudio"]
PACKAGES: tuple[Package, ...] = ("sounddevice", "pyaudio")
Side = Literal["input", "output"]
Hear = Callable[[bytes], None]
"""Takes a block from the microphone, s16le mono. Must not block."""
Speak = Callable[[int], bytes]
"""Gives the next so many bytes for the loudspeaker, s16le mono. Must not block."""
_NO_PORTAUDIO = (
    "the PortAudio library is missing. On Debian and Ubuntu: apt-get install libportaudio2; "
    "on macOS: brew install portaudio."
)


@dataclass(frozen=True)
class Device:
    """One entry of PortAudio's list."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate_hz: int
    """Its own sample rate."""
    default: tuple[Side, ...] = ()

    def can(self, side: Side) -> bool:
        return bool(self.inputs if side == "input" else self.outputs)


class Stream(Protocol):
    """A microphone or a loudspeaker that runs."""

    latency_s: float
    """From the microphone's membrane to `Hear`, or from `Speak` to the loudspeaker's."""

    def close(self) -> None:
        """Stop. Blocks until the card has stopped; idempotent."""


class Cards(Protocol):
    """PortAudio as one of the two packages offers it."""

    package: Package

    def devices(self) -> list[Device]: ...

    def hear(self, device: Device, rate_hz: int, block: int, take: Hear) -> Stream:
        """Run a microphone in blocks of `block` samples. Raises Unavailable."""

    def speak(self, device: Device, rate_hz: int, block: int, give: Speak) -> Stream:
        """Run a loudspeaker in blocks of `block` samples. Raises Unavailable."""


def cards(package: str | None = None) -> Cards:
    """The first of PACKAGES that works here, or `package` of them. Raises MissingExtra, Unavailable."""
    missing: Exception | None = None
    for name in (package,) if package else PACKAGES:
        try:
            return _Sounddevice() if name == "sounddevice" else _PyAudio()
        except ImportError as error:
            missing = missing or MissingExtra(name, "mic")
            missing.__cause__ = error
        except OSError as error:  # the Python package is there, the C library is not
            missing = Unavailable(_NO_PORTAUDIO)
            missing.__cause__ = error
    assert missing is not None
    raise missing


def choose(devices: Iterable[Device], side: Side, wanted: str | None) -> Device:
    """The device called `wanted` (number, name or part of it), or the default. Raises BadInput, Unavailable."""
    usable = [device for device in devices if device.can(side)]
    what = "microphone" if side == "input" else "loudspeaker"
    if not usable:
        raise Unavailable(f"this machine has no {what}. Plug one in, or use --text or --wav FILE.")
    if wanted is None:
        return next((device for device in usable if side in device.default), usable[0])
    if wanted.isdecimal():
        found = [device for device in usable if device.index == int(wanted)]
    else:
        named = [device for device in usable if device.name.lower() == wanted.lower()]
        found = named or [device for device in usable if wanted.lower() in device.name.lower()]
    if len({device.name for device in found}) > 1:
        names = ", ".join(f"{device.index} '{device.name}'" for device in found)
        raise BadInput(f"--{side} {wanted} may be any of {names}. Give the number.")
    if not found:
        hint = did_you_mean(wanted, (device.name for device in usable))
        raise BadInput(f"--{side} {wanted}: there is no such {what}.{hint}")
    return found[0]


class _Sounddevice:
    package: Package = "sounddevice"

    def __init__(self) -> None:
        import sounddevice

        self._pa = sounddevice

    def devices(self) -> list[Device]:
        defaults: dict[Side, int] = {"input": self._pa.default.device[0], "output": self._pa.default.device[1]}
        return [
            Device(
                index,
                entry["name"],
                entry["max_input_channels"],
                entry["max_output_channels"],
                int(entry["default_samplerate"]),
                tuple(side for side, number in defaults.items() if number == index),
            )
            for index, entry in enumerate(self._pa.query_devices())
        ]

    def hear(self, device: Device, rate_hz: int, block: int, take: Hear) -> Stream:
        def callback(data: Any, _frames: int, _time: Any, _status: Any) -> None:
            take(bytes(data))

        return self._run(self._pa.RawInputStream, device, rate_hz, block, callback)

    def speak(self, device: Device, rate_hz: int, block: int, give: Speak) -> Stream:
        def callback(data: Any, _frames: int, _time: Any, _status: Any) -> None:
            data[:] = give(len(data))

        return self._run(self._pa.RawOutputStream, device, rate_hz, block, callback)

    def _run(self, kind: Any, device: Device, rate_hz: int, block: int, callback: Any) -> Stream:
        try:
            stream = kind(
                samplerate=rate_hz,
                blocksize=block,
                device=device.index,
                channels=1,
                dtype="int16",
                latency="high",
                callback=callback,
            )
            stream.start()
        except self._pa.PortAudioError as error:
            raise Unavailable(_refused(device, rate_hz, error)) from error
        return _SounddeviceStream(stream)


class _SounddeviceStream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.latency_s: float = stream.latency

    def close(self) -> None:
        self._stream.close(ignore_errors=True)


class _PyAudio:
    package: Package = "pyaudio"

    def __init__(self) -> None:
        import pyaudio

        self._module = pyaudio

    def devices(self) -> list[Device]:
        with _quiet():
            pa = self._module.PyAudio()
        try:
            defaults = {side: _default(pa, side) for side in ("input", "output")}
            entries = [pa.get_device_info_by_index(index) for index in range(pa.get_device_count())]
        finally:
            pa.terminate()
        return [
            Device(
                entry["index"],
                entry["name"],
                entry["maxInputChannels"],
                entry["maxOutputChannels"],
                int(entry["defaultSampleRate"]),
                tuple(side for side in ("input", "output") if defaults[side] == entry["index"]),
            )
            for entry in entries
        ]

    def hear(self, device: Device, rate_hz: int, block: int, take: Hear) -> Stream:
        def callback(data: bytes, _frames: int, _time: Any, _status: int) -> tuple[None, int]:
            take(data)
            return None, self._module.paContinue

        return self._run(device, rate_hz, block, callback, input=True, input_device_index=device.index)

    def speak(self, device: Device, rate_hz: int, block: int, give: Speak) -> Stream:
        def callback(_: None, frames: int, _time: Any, _status: int) -> tuple[bytes, int]:
            return give(2 * frames), self._module.paContinue

        return self._run(device, rate_hz, block, callback, output=True, output_device_index=device.index)

    def _run(self, device: Device, rate_hz: int, block: int, callback: Any, **direction: Any) -> Stream:
        with _quiet():
            pa = self._module.PyAudio()
        try:
            stream = pa.open(
                rate=rate_hz,
                channels=1,
                format=self._module.paInt16,
                frames_per_buffer=block,
                stream_callback=callback,
                **direction,
            )
        except OSError as error:
            pa.terminate()
            raise Unavailable(_refused(device, rate_hz, error)) from error
        return _PyAudioStream(pa, stream)


class _PyAudioStream:
    def __init__(self, pa: Any, stream: Any) -> None:
        self._pa = pa
        self._stream = stream
        self.latency_s: float = max(stream.get_output_latency(), stream.get_input_latency())

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._pa.terminate()
            self._stream = None


@contextmanager
def _quiet() -> Iterator[None]:
    """While PortAudio starts, ALSA and JACK write pages about cards that are not there to the process's stderr; the
    package sounddevice keeps them from it, PyAudio does not."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _default(pa: Any, side: str) -> int | None:
    try:
        info = pa.get_default_input_device_info() if side == "input" else pa.get_default_output_device_info()
    except OSError:
        return None
    return int(info["index"])


def _refused(device: Device, rate_hz: int, error: Exception) -> str:
    reason = str(error.args[0] if error.args else error).partition(" [")[0]
    return (
        f"'{device.name}' cannot be opened at {rate_hz} Hz: {reason}. "
        "Another program may hold it; voicebot doctor lists the others."
    )
