"""Orders that are hidden from people or dressed up as something else: markup, invisible characters, encodings.

`signs` finds what no honest text has; `views` undoes a disguise, so that the rules can read what is beneath it.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator

from voicebot.brain.guardrails.rules import Match

_MARKERS = re.compile(
    r"<\|\s*(?:im_start|im_end|system|assistant|user|endoftext|start_header_id|eot_id)[^>\n]{0,40}\|?>|"
    r"\[/?INST\]|<</?SYS>>|</?(?:system|assistant|instructions?|system_prompt|prompt)>|"
    r"^[ \t]{0,8}#{2,4}\s{0,4}(?:system|new instructions?|instruction|assistant)\b|"
    r"\"role\"\s{0,4}:\s{0,4}\"(?:system|assistant|developer)\"|"
    r"^[ \t]{0,8}-{3,9}\s{0,4}(?:end|begin|new)\b[^\n]{0,40}\b(?:prompt|instructions?|system)",
    re.IGNORECASE | re.MULTILINE,
)
_SPEAKER = re.compile(
    r"(?:^|[\n\"'.])\s{0,8}(?:system|assistant|developer|sysadmin)\s{0,4}:\s{0,4}(?P<said>[^\n]{12,200})", re.IGNORECASE
)
_ORDERS = re.compile(
    r"\b(?:you|ignore|must|disregard|instructions?|now|the user|the caller|reveal|refund|transfer|i will|sure)\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--(?P<inside>[^>]{0,2000}?)-->|/\*(?P<block>[^*]{0,2000})\*/|\{#(?P<jinja>[^#]{0,2000})#\}")
_TELLING = re.compile(
    r"\b(?:ignore|disregard|assistant|ai|llm|instruct\w*|system|prompt|agent|reveal|tell|do not|must|override|"
    r"model|bot|send|transfer|refund)\b",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    r"(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|"
    r"opacity\s{0,3}:\s{0,3}0(?![.\d])|color\s{0,3}:\s{0,3}(?:white|#fff\b|#ffffff|transparent))"
    r"[^>]{0,80}>(?P<inside>[^<]{8,600})",
    re.IGNORECASE,
)
_EXFILTRATION = re.compile(
    r"!\[[^\]\n]{0,80}\]\(\s{0,4}https?://[^)\s?=&{$]{0,200}[?=&{$][^)]{0,200}\)|"
    r"<img[^>]{1,80}src=[\"']?https?://[^\"'>\s?]{0,200}[?][^>]{0,200}>",
    re.IGNORECASE,
)
_ZERO_WIDTH = re.compile(r"(?<=[A-Za-z])[\u200b-\u200f\u2060-\u2064\ufeff\u00ad](?=[A-Za-z])")
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,4000}={0,2}(?![\w+/=-])")
_HEX = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2}[ :]?){20,2000}(?!\w)")
_LEET = re.compile(r"(?<![a-z0-9@$!])(?=[a-z@$!]{0,12}[013457@$!][a-z])[a-z013457@$!]{3,24}", re.IGNORECASE)
_LEET_LETTERS = str.maketrans("013457@$!", "oieastasi")
_SPACED = re.compile(r"(?<![\w.\-*])(?:[a-z][ .\-_*]){5,400}[a-z](?!\w)", re.IGNORECASE)
_RUN_TOGETHER = re.compile(
    r"(ignore|disregard|forget|override|bypass)\w{0,30}(instruction|rule|prompt|guideline)", re.IGNORECASE
)
_HYPHENATED = re.compile(r"(?<=[A-Za-z])[-\u00ad](?=[A-Za-z])")
MANY_HYPHENS = 3
MOST_VIEWS = 8


def signs(raw: str, side: str) -> Iterator[Match]:
    """What gives a hidden order away by its form alone."""
    for match in _MARKERS.finditer(raw):
        yield Match("markup", 0.8, match.start(), match.end())
    for match in _SPEAKER.finditer(raw) if side == "results" else ():
        if _ORDERS.search(match["said"]):
            yield Match("markup", 0.75, match.start("said"), match.end())
    for match in _COMMENT.finditer(raw):
        inside = match["inside"] or match["block"] or match["jinja"] or ""
        if _TELLING.search(inside):
            yield Match("hidden", 0.7, match.start(), match.end())
    for match in _UNSEEN.finditer(raw):
        if _TELLING.search(match["inside"]):
            yield Match("hidden", 0.75, match.start("inside"), match.end("inside"))
    for match in _EXFILTRATION.finditer(raw) if side != "agent" else ():
        yield Match("exfiltration", 0.75, match.start(), match.end())
    invisible = [match.start() for match in _ZERO_WIDTH.finditer(raw)] if not raw.isascii() else []
    if len(invisible) >= 3:
        yield Match("hidden", 0.7, invisible[0] - 1, invisible[-1] + 2)
    for match in _TAGS.finditer(raw) if not raw.isascii() else ():
        yield Match("hidden", 0.9, match.start(), match.end())


def views(raw: str) -> Iterator[tuple[str, int, int]]:
    """(a text as it reads without its disguise, where the disguised part begins, and ends)."""
    if _LEET.search(raw):
        plain = _LEET.sub(lambda match: _spelled_out(match[0]), raw)
        if plain != raw:
            yield plain, 0, len(raw)
    if _SPACED.search(raw):
        together = _SPACED.sub(lambda match: re.sub(r"[\W_]", "", match[0]), raw)
        yield together, 0, len(raw)
        if found := _RUN_TOGETHER.search(together):
            yield f"{found[1]} all {found[2]}s", 0, len(raw)
    if len(_HYPHENATED.findall(raw)) >= MANY_HYPHENS:
        yield _HYPHENATED.sub("", raw), 0, len(raw)
    if "&#" in raw or "%20" in raw:
        yield html.unescape(raw).replace("%20", " "), 0, len(raw)
    for match in [*_ENCODED.finditer(raw)][:MOST_VIEWS]:
        if decoded := _decoded(match[0]):
            yield decoded, match.start(), match.end()
    for match in [*_HEX.finditer(raw)][:MOST_VIEWS]:
        if decoded := _readable(bytes.fromhex(re.sub(r"[ :]", "", match[0]))):
            yield decoded, match.start(), match.end()


def _spelled_out(word: str) -> str:
    """ "1gn0re" as "ignore"; a word with as many figures as letters is a code and stays."""
    letters = sum(each.isalpha() for each in word)
    return (
        word.translate(_LEET_LETTERS)
        if letters * 3 >= len(word) * 2 or (letters >= 3 and letters > len(word) - letters)
        else word
    )


def _decoded(text: str) -> str:
    if text.isalpha() and (text.islower() or text.isupper()):
        return ""
    try:
        return _readable(
            base64.b64decode(
                text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_" if set("-_") & set(text) else None
            )
        )
    except (binascii.Error, ValueError):
        return ""


def _readable(data: bytes) -> str:
    """The bytes as a text of words, or nothing."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() and " " in text and sum(map(str.isalpha, text)) > len(text) / 2 else ""
