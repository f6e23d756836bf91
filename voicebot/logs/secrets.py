"""Keys: none is in a log, an event, a span or a page of ours.

Known ones are the values of settings that are keys by their name (`voicebot.config`); others are known by their shape
(`sk-...`, a JWT) or by the word before them (`Authorization: Bearer ...`, `api_key=...`, `://user:password@`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from voicebot import config

HIDDEN = "[key]"
_SHAPES = re.compile(
    r"""(?x)
    (?<![A-Za-z0-9])(?:
        (?:sk|pk|rk|xi|vb|gsk|whsec|hf|key)[-_][A-Za-z0-9_-]{16,}  # OpenAI, Anthropic, Stripe, Groq, our own ...
      | gh[opsur]_[A-Za-z0-9]{20,} | github_pat_\w{20,} | glpat-[\w-]{16,}
      | xox[abeoprs]-[\w-]{10,} | AIza[\w-]{30,} | (?:AKIA|ASIA)[A-Z0-9]{16}
      | eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*
    )
    | -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY-----[A-Za-z0-9+/=\s]*
    """
)
_AFTER = re.compile(
    r"""(?xi)
    ( (?:authorization|api[-_ ]?key|apikey|auth[-_ ]?token|access[-_ ]?token|token|secret|password|passwd|pwd)
      ["']? \s* [:=] \s* ["']? (?:(?:bearer|basic|token)\s+)?
    | (?<![a-z]) (?:bearer|basic) \s+ (?=[^\s"',;&]*[\d+/=._-]) )
    [^\s"',;&}\])]{6,}
    """
)
_IN_URL = re.compile(r"(://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)")


def hide(text: str) -> str:
    """`text` without any key: for what is said about a failure, by whomever."""
    text = hide_known(text)
    text = _SHAPES.sub(HIDDEN, text)
    text = _AFTER.sub(rf"\1{HIDDEN}", text)
    return _IN_URL.sub(rf"\1{HIDDEN}", text) if "@" in text else text


def hide_known(text: str) -> str:
    """`text` without the keys of this process: for what may be anybody's words."""
    known = config.secrets()
    return _pattern(known).sub(HIDDEN, text) if known else text


@lru_cache(maxsize=4)
def _pattern(known: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))))
