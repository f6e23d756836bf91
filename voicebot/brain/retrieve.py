"""What an agent knows about the question of this turn, out of more than its prompt can hold.

Knowledge that fits stands in the prompt. More than that is cut into passages, and each turn the best of them are shown
to the model behind the caller's words. They are for that turn only: what is remembered of it are the answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from langchain_core.messages import AnyMessage, HumanMessage

from voicebot.brain.knowledge import Knowledge, Passage
from voicebot.brain.memory import estimated_tokens
from voicebot.brain.prompt import Document

PASSAGE_CHARACTERS = 1200
"""A passage is a section of a file, or so much of it."""
PASSAGES = 4
"""Shown in a turn, at most."""
TELLING_WORDS = 3
"""A question with fewer words that could find something follows up on the one before ("and on Sundays?")."""
LOOK_BACK_TURNS = 3
"""So far back is looked for the question that is followed up on."""
LEAST_SHARE = 0.35
"""A passage that scores less than this share of the best one is not shown."""


class Retriever(Protocol):
    """Finds passages. An engine other than BM25 is one class with this method."""

    async def passages(self, question: str, *, after: str, limit: int) -> Sequence[Passage]:
        """The passages that answer `question` best, best first, at most `limit`; none when nothing fits.

        `after` is the question before, '' when this one stands for itself.
        """


class WordRetriever:
    """By the words that question and passage share (BM25), in a thread of its own, where the index is built first."""

    def __init__(self, documents: Sequence[Document], language: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="knowledge")
        self._index = self._thread.submit(_indexed, documents, language)

    async def passages(self, question: str, *, after: str, limit: int) -> Sequence[Passage]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._found, question, after, limit)

    def _found(self, question: str, after: str, limit: int) -> list[Passage]:
        hits = self._index.result().search(question, limit, after=after)
        return [hit.passage for hit in hits if hit.score >= LEAST_SHARE * hits[0].score]


def _indexed(documents: Sequence[Document], language: str) -> Knowledge:
    return Knowledge([passage for document in documents for passage in split(document)], language)


def question_of(messages: Sequence[AnyMessage]) -> tuple[str, str]:
    """What the caller asks now, and what that follows up on: '' for a question that stands for itself."""
    said = [message.text for message in messages if isinstance(message, HumanMessage)]
    if not said:
        return "", ""
    question, before = said[-1], said[-2 : -2 - LOOK_BACK_TURNS : -1]
    if len(question.split()) > 2 * TELLING_WORDS:
        return question, ""
    return question, next((text for text in before if len(text.split()) > TELLING_WORDS), "")


def shown(passages: Sequence[Passage], limit: int) -> str:
    """The passages as the model reads them, as many as fit into `limit` tokens; '' for none."""
    parts: list[str] = []
    for passage in passages:
        heading = f"{passage.heading}\n" if passage.heading else ""
        part = f'<passage file="{passage.source}">\n{_harmless(heading + passage.text)}\n</passage>'
        limit -= estimated_tokens(part)
        if limit < 0:
            break
        parts.append(part)
    return "\n".join(parts)


def _harmless(text: str) -> str:
    """The text without what would end its frame."""
    return re.sub(r"<(?=/?\s*passage)", "(", text, flags=re.I)


def split(document: Document) -> list[Passage]:
    """The passages of a file: its sections, under their headings; long ones in pieces of whole paragraphs."""
    text = re.sub(r"<!--.*?-->", "", document.text, flags=re.S)
    passages: list[Passage] = []
    path: list[str] = []
    for block in re.split(r"^(?=#{1,6} )", text, flags=re.M):
        match = re.match(r"(#{1,6}) (.*)\n?", block)
        if match:
            level = len(match[1])
            path = [*path[: level - 1], match[2].strip()]
        body = block[match.end() :] if match else block
        passages += [Passage(document.name, tuple(path), piece) for piece in _pieces(body)]
    return passages


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs put together up to the size of a passage; one that is longer alone, cut between words."""
    piece = ""
    for paragraph in re.split(r"\n\s*\n", text):
        for part in _parts(paragraph.strip()):
            if piece and len(piece) + len(part) > PASSAGE_CHARACTERS:
                yield piece
                piece = ""
            piece = f"{piece}\n\n{part}" if piece else part
    if piece:
        yield piece


def _parts(paragraph: str) -> Iterator[str]:
    while len(paragraph) > PASSAGE_CHARACTERS:
        ends = [match.end() for match in re.finditer(r"[.!?]\s|\n|\s", paragraph[:PASSAGE_CHARACTERS])]
        at = ends[-1] if ends else PASSAGE_CHARACTERS
        yield paragraph[:at].strip()
        paragraph = paragraph[at:].strip()
    if paragraph:
        yield paragraph
