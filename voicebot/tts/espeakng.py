"""The eSpeak NG library of this process: one handle, one lock, one voice at a time.

eSpeak NG keeps its state in globals: two threads inside it crash the process, and a second initialisation in
asynchronous mode hangs. So everything here happens under one lock, in synchronous mode.

Those globals outlive an utterance and colour the next one by a few samples. A library that has just been loaded has
none of them, so an utterance that must sound the same each time is spoken by one: `synthesise(..., repeatable=True)`.
API: `speak_lib.h` and `espeak_ng.h` of eSpeak NG 1.52.
"""

from __future__ import annotations

import _ctypes
import atexit
import ctypes
import functools
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader

from voicebot.errors import BadInput, Unavailable, did_you_mean

RATE_HZ = 22_050

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_BUFFER_MS = 100
_UTF8 = 1
_END_PAUSE = 0x1000
_BY_CHARACTER = 1
_EVENT_END_OF_LIST, _EVENT_WORD = 0, 1
_PARAM_RATE, _PARAM_PITCH = 1, 3
_IPA = 0x02
_SEPARATED_BY_SPACE = ord(" ") << 8
_LONGEST_DATA_PATH = 150
"""eSpeak NG cuts its data path at 160 characters and then says nothing but returns a wrong rate."""

_ENGLISH = ("en", "en-us", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
"""Named to a user who asked for a voice that is not there; `en` is British. Other languages work too."""

_LOCK = threading.Lock()
_unload: Callable[[int], object] = getattr(_ctypes, "FreeLibrary" if sys.platform == "win32" else "dlclose")


class _SynthEvent(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_SynthEvent))


@dataclass(frozen=True)
class Voice:
    """How to speak: an eSpeak voice with an optional variant (`en-us+f2`), words a minute, pitch 0-99."""

    name: str
    rate_wpm: int
    pitch: int


OnAudio = Callable[[bytes, list[tuple[int, int]]], bool]
"""(s16le samples, [(character offset of a word, its start in ms)]) -> False to stop."""


def check(voice: Voice) -> None:
    """Raise BadInput when eSpeak has no such voice, Unavailable when it cannot start."""
    with _LOCK:
        _use(voice)


def synthesise(text: str, voice: Voice, on_audio: OnAudio, *, repeatable: bool = False) -> None:
    """Speak `text`, handing audio to `on_audio` on this thread as it is made. About 600 times faster than speech.

    A `repeatable` utterance has the same samples whatever was said before. That costs about 4 ms: most of them behind
    it, when the library is loaded for the next one.
    """

    def receive(samples: int | None, count: int, events: ctypes._Pointer[_SynthEvent]) -> int:
        pcm = ctypes.string_at(samples, count * 2) if samples and count else b""
        return 0 if on_audio(pcm, _words(events)) else 1

    callback = _CALLBACK(receive)
    data = text.encode()
    with _LOCK:
        if repeatable:
            _renew(voice)
        library = _use(voice)
        library.espeak_SetSynthCallback(callback)
        # Without the end pause the tail of the last word is cut off, not only the silence after it.
        library.espeak_Synth(data, len(data) + 1, 0, _BY_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None)
        _spoken(aloud=True)
        if repeatable:
            _renew(voice)


def phonemes(words: list[str], voice: str = "en-us") -> list[str]:
    """How eSpeak pronounces each word: IPA with a space between phonemes, stress marks included."""
    with _LOCK:
        library = _use(Voice(voice, 165, 50))
        _spoken()
        return [_phonemes(library, word) for word in words]


def variants() -> list[str]:
    """Names that can follow the `+` of a voice."""
    return sorted(path.name for path in (Path(espeakng_loader.get_data_path()) / "voices" / "!v").iterdir())


def _words(events: ctypes._Pointer[_SynthEvent]) -> list[tuple[int, int]]:
    words = []
    index = 0
    while (event := events[index]).type != _EVENT_END_OF_LIST:
        if event.type == _EVENT_WORD:
            words.append((event.text_position - 1, event.audio_position_ms))
        index += 1
    return words


def _phonemes(library: ctypes.CDLL, word: str) -> str:
    text = ctypes.c_char_p(word.encode())
    spoken = library.espeak_TextToPhonemes(ctypes.byref(text), _UTF8, _IPA | _SEPARATED_BY_SPACE)
    return spoken.decode() if spoken else ""


_current: Voice | None = None
_fresh = True
"""Nothing has been spoken since the library was loaded. Setting a voice, and then another, leaves no trace."""


_unspoken = 0
"""Voices set since the last sound: eSpeak puts each into a queue of 170 places, overruns it and crashes."""
_MOST_UNSPOKEN = 100


def _spoken(*, aloud: bool = False) -> None:
    global _fresh, _unspoken
    _fresh = False
    _unspoken = 0 if aloud else _unspoken


def _renew(voice: Voice) -> None:
    """Unload the library and load it again, unless it is as good as new; and read the data that `voice` needs."""
    if not _fresh:
        _reload()
    _use(voice)


def _reload() -> None:
    global _current, _fresh, _unspoken
    library = _library()
    library.espeak_Terminate()
    _unload(library._handle)
    _library.cache_clear()
    _current, _fresh, _unspoken = None, True, 0


def _use(voice: Voice) -> ctypes.CDLL:
    global _current, _unspoken
    if voice == _current:
        return _library()
    if _unspoken == _MOST_UNSPOKEN:
        _reload()
    library = _library()
    _current = None
    _unspoken += 1
    base, _, variant = voice.name.partition("+")
    if variant and variant not in variants():
        raise BadInput(f"eSpeak has no voice variant '{variant}'.{did_you_mean(variant, variants())}")
    if library.espeak_SetVoiceByName(voice.name.encode()) != 0:
        raise BadInput(f"eSpeak has no voice '{base}'.{did_you_mean(base, _ENGLISH)}")
    library.espeak_SetParameter(_PARAM_RATE, voice.rate_wpm, 0)
    library.espeak_SetParameter(_PARAM_PITCH, voice.pitch, 0)
    _current = voice
    return library


@functools.cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise Unavailable(f"eSpeak NG could not be loaded: {error}") from error
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    data = _data()
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, str(data).encode(), _DONT_EXIT)
    if rate_hz != RATE_HZ:
        raise Unavailable(f"eSpeak NG could not read its data in '{data}'.")
    library.espeak_ng_SetRandSeed(1)
    return library


@functools.cache
def _data() -> Path:
    """Where eSpeak NG's data is, or a short path of this process that leads there."""
    return _short(Path(espeakng_loader.get_data_path()))


def _short(data: Path) -> Path:
    """`data` itself, or a short path of this process that leads to it."""
    if len(os.fsencode(data)) <= _LONGEST_DATA_PATH:
        return data
    folder = Path(tempfile.mkdtemp(prefix="voicebot-espeak-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    short = folder / data.name
    try:
        short.symlink_to(data, target_is_directory=True)
    except OSError:  # Windows without the right to make links
        shutil.copytree(data, short)
    return short
