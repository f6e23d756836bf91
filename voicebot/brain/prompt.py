"""What a model is told before the conversation: how to speak, what the agent file says, what the agent knows.

The same bytes for every call of an agent, so that providers and local servers can cache the prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voicebot.errors import BadInput

PREAMBLE = (
    "You are on a phone call. Everything you write is spoken aloud by a text-to-speech voice.\n"
    "Answer in one or two short sentences, the way people talk. Ask one question at a time.\n"
    "Plain words only: no markdown, no lists, no emoji, no links. Write numbers, dates and times as they are spoken.\n"
    "What the caller says was transcribed by a machine; when it makes no sense, ask.\n"
    "Notes in square brackets tell you what happened on the line. Never say them aloud."
)

KNOWLEDGE_LIMIT = 48_000
"""Characters of knowledge that go into the prompt (about 12 000 tokens)."""


def system_prompt(prompt: str | None, language: str, knowledge: Iterable[str], root: Path) -> str:
    """The whole system message. Raises BadInput for knowledge that is missing, unreadable or too large."""
    parts = [PREAMBLE, f"Speak the caller's language; begin in: {language}."]
    if prompt:
        parts.append(prompt.strip())
    if known := _knowledge(knowledge, root):
        parts.append("What you know:\n\n" + known)
    return "\n\n".join(parts)


def _knowledge(patterns: Iterable[str], root: Path) -> str:
    files: dict[Path, None] = {}
    for pattern in patterns:
        found = sorted(path for path in root.glob(pattern) if path.is_file())
        if not found:
            raise BadInput(f"knowledge '{pattern}' matches no file in {root}")
        files.update(dict.fromkeys(found))
    text = "\n\n".join(_read(path, root) for path in files)
    if len(text) > KNOWLEDGE_LIMIT:
        raise BadInput(
            f"the knowledge files hold {len(text)} characters; up to {KNOWLEDGE_LIMIT} fit into the prompt. "
            "Keep what callers ask about."
        )
    return text


def _read(path: Path, root: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"knowledge file {path.relative_to(root)} cannot be read as text: {error}") from error
    return f"# {path.relative_to(root).as_posix()}\n{text}"
