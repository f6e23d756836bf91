"""Every error voicebot raises on purpose, and the exit code each one means.

VoicebotError                      one sentence for a person, printed in one place (commands/__init__.py)
├── BadInput            exit 2     a file, an argument or a setting is wrong; names the place and the remedy
└── Unavailable         exit 3     a provider, a device or the network failed
    └── MissingExtra    exit 3     an optional package is not installed; says what to install
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_FAILED = 1
"""The thing that was tested failed (an eval, a check)."""
EXIT_BAD_INPUT = 2
EXIT_UNAVAILABLE = 3
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""What the shell reports for a program that SIGPIPE ended (128 + 13), as 130 is Ctrl-C."""


class VoicebotError(Exception):
    """Base of all errors raised on purpose. `str(error)` is one sentence fit for a person."""

    exit_code = EXIT_FAILED


class BadInput(VoicebotError):
    """A file, argument or setting is wrong. The sentence names the place and the remedy."""

    exit_code = EXIT_BAD_INPUT


class Unavailable(VoicebotError):
    """A provider, a device or the network failed or is not there."""

    exit_code = EXIT_UNAVAILABLE


class MissingExtra(Unavailable):
    """An optional package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} is not installed. Install it with: pip install "voicebot[{extra}]"')


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' Did you mean 'x'?' when a known word is close, else ' Known: a, b, c.' (or nothing)."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Known: {', '.join(known)}." if known else ""
