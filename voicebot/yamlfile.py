"""YAML files that people write: read with the position of every value, so that a problem can name its place.

Built from the parser's events, never by constructing objects: tags are refused, nothing is executed, and size, depth
and the growth through aliases are bounded. Values follow the YAML 1.2 core schema, narrowed to numbers as JSON writes
them: `no` and `on` are words, and `007` or `+49...` stay text.

    document = yamlfile.read(path)          # or yamlfile.parse(text, shown)
    document.data                           # dict, list, str, int, float, bool, None
    document.place(("voice", "stt", 0))     # 'agents/ava.yaml:5:9'
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_VALUES = 100_000
"""Values in one file, aliases counted as often as they are used."""

Loc = tuple[str | int, ...]
"""The way to a value: keys and list indexes, as in pydantic's errors."""

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 15
"""Digits that a float keeps; anything longer is a code."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


@dataclass(slots=True)
class Node:
    """A value and where it stands; line and column count from 1."""

    line: int
    column: int
    value: Any = None
    """The scalar; None for a list or a mapping."""
    items: list[Node] | None = None
    pairs: dict[str, tuple[Node, Node]] | None = None
    size: int = 1

    def data(self) -> Any:
        if self.items is not None:
            return [item.data() for item in self.items]
        if self.pairs is not None:
            return {key: value.data() for key, (_, value) in self.pairs.items()}
        return self.value

    def child(self, step: str | int) -> Node | None:
        if isinstance(step, int):
            return self.items[step] if self.items is not None and step < len(self.items) else None
        return self.pairs[step][1] if self.pairs is not None and step in self.pairs else None


class _Problem(Exception):
    """What is wrong at one place of a text; lines and columns count from 1."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line, self.column = line, column


@dataclass(frozen=True)
class Document:
    """One YAML mapping with its positions."""

    shown: str
    """How errors call the file: its path as the user would type it."""
    text: str
    root: Node
    path: Path | None = None
    sha256: str = ""
    """Of the file's bytes."""
    data: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", self.root.data())

    def position(self, loc: Loc, *, of_key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `loc`, or of its key; of the deepest part that exists."""
        node = self.root
        for index, step in enumerate(loc):
            if of_key and index == len(loc) - 1 and node.pairs is not None and step in node.pairs:
                node = node.pairs[str(step)][0]
                break
            node = node.child(step) or node
        return node.line, node.column

    def holds(self, loc: Loc) -> bool:
        """Whether there is a value at `loc`."""
        node: Node | None = self.root
        for step in loc:
            node = node.child(step) if node else None
        return node is not None

    def place(self, loc: Loc, *, of_key: bool = False) -> str:
        line, column = self.position(loc, of_key=of_key)
        return f"{self.shown}:{line}:{column}"


def read(path: Path) -> Document:
    """The YAML mapping in the file `path`. Raises BadInput with one line for each problem."""
    shown = paths.shown(path)
    content = _bytes(path, shown)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{shown}:{line}:1 not UTF-8 text. Save the file as UTF-8.") from None
    return Document(shown, text, _checked(text, shown), path, hashlib.sha256(content).hexdigest())


def parse(text: str, shown: str = "<text>") -> Document:
    """The YAML mapping in `text`; `shown` names it in errors. Raises BadInput."""
    return Document(shown, text, _checked(text, shown), None, hashlib.sha256(text.encode()).hexdigest())


def _bytes(path: Path, shown: str) -> bytes:
    if path.is_dir():
        raise BadInput(f"{shown} is a folder, not a YAML file.")
    if not path.exists():
        raise BadInput(f"{shown} does not exist.{_neighbour(path)}")
    if not path.is_file():
        raise BadInput(f"{shown} is not a regular file.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{shown} is larger than {MAX_BYTES // 1000} kB, too large for a file written by hand.")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}.") from None


def _neighbour(path: Path) -> str:
    known = [other.name for other in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    return did_you_mean(path.name, known)


def _checked(text: str, shown: str) -> Node:
    try:
        root, repeated = _root(text)
    except _Problem as problem:
        raise BadInput(_lines(shown, [problem])) from None
    if repeated:
        raise BadInput(_lines(shown, repeated))
    return root


def _lines(shown: str, problems: list[_Problem]) -> str:
    return "\n".join(f"{shown}:{problem.line}:{problem.column} {problem}" for problem in problems)


def _root(text: str) -> tuple[Node, list[_Problem]]:
    """The top mapping, and its repeated keys."""
    bad = _UNPRINTABLE.search(text)
    if bad:
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        raise _Problem(line, column, f"the character U+{ord(bad[0]):04X} is not allowed in YAML. Remove it.")
    reader = _Reader(text)
    try:
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        raise _syntax(text, error) from None
    if root is None:
        raise _Problem(1, 1, "the file is empty.")
    if root.pairs is None:
        raise _Problem(root.line, root.column, "expected 'key: value' lines at the top of the file.")
    return root, reader.repeated


class _Reader:
    """Parser events -> nodes, without recursion in the parser, so that no nesting can exhaust the C stack."""

    def __init__(self, text: str) -> None:
        self.repeated: list[_Problem] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, Node] = {}
        self._values = 0

    def document(self) -> Node | None:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Problem(*_mark(after), "the file holds a second document ('---'). Put it in a file of its own.")
        empty = root.value is None and root.items is None and root.pairs is None
        return None if empty else root

    def _node(self, event: Any, depth: int) -> Node:
        line, column = _mark(event)
        if depth > MAX_DEPTH:
            raise _Problem(line, column, f"nested more than {MAX_DEPTH} levels deep.")
        if isinstance(event, yaml.AliasEvent):
            node = self._aliased(event)
        else:
            node = self._own(event, Node(line, column), depth)
            if event.anchor:
                self._anchors[event.anchor] = node
        return node

    def _own(self, event: Any, node: Node, depth: int) -> Node:
        self._count(node, 1)
        if event.tag is not None:
            raise _Problem(node.line, node.column, f"the tag '{event.tag}' is not allowed. Remove it.")
        if isinstance(event, yaml.ScalarEvent):
            node.value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._fill_list(node, depth)
        else:
            self._fill_mapping(node, depth)
        return node

    def _fill_list(self, node: Node, depth: int) -> None:
        node.items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            node.items.append(self._node(event, depth + 1))
        node.size += sum(item.size for item in node.items)

    def _fill_mapping(self, node: Node, depth: int) -> None:
        node.pairs = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, node.pairs)
            value = self._node(next(self._events), depth + 1)
            node.pairs[key.value] = (key, value)
            node.size += value.size

    def _key(self, event: Any, pairs: dict[str, tuple[Node, Node]]) -> Node:
        line, column = _mark(event)
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            raise _Problem(line, column, "a key must be a plain word.")
        if event.value in pairs:
            sentence = f"duplicate key '{event.value}'; it is already in line {pairs[event.value][0].line}."
            self.repeated.append(_Problem(line, column, sentence))
        return Node(line, column, value=event.value)

    def _aliased(self, event: Any) -> Node:
        line, column = _mark(event)
        target = self._anchors.get(event.anchor)
        if target is None:
            hint = did_you_mean(event.anchor, self._anchors)
            raise _Problem(line, column, f"no anchor '&{event.anchor}' stands before this alias.{hint}")
        node = Node(line, column, target.value, target.items, target.pairs, target.size)
        self._count(node, target.size)
        return node

    def _count(self, node: Node, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _Problem(node.line, node.column, f"the file holds more than {MAX_VALUES} values.")


def _mark(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.style:  # quoted or a block: text as it stands; the parser gives '' or None for plain
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


_COLON = "unexpected ':'. Put text that contains a colon in quotes, or check the indentation."
_COMPLAINTS = (
    # in the parser's problem, in its context, where to point, what to do
    ("tab character", "", "here", "a tab is used for indentation. Use spaces."),
    ("end of stream", "quoted scalar", "opened", "this quote is never closed."),
    ("escape", "", "here", "unknown escape after '\\'. Put text with backslashes in single quotes."),
    ("", "flow sequence", "opened", "this '[' is not closed, or a comma is missing in it."),
    ("", "flow mapping", "opened", "this '{' is not closed, or a comma is missing in it."),
    ("mapping keys are not allowed", "", "here", "a value cannot start with '?'. Put it in quotes."),
    ("mapping values are not allowed", "", "here", _COLON),
    ("entries are not allowed", "", "here", "a list item ('- ...') starts on a line of its own."),
    ("could not find expected ':'", "", "opened", "expected 'key: value'."),
    ("expected", "", "indented", "this line does not fit the lines above it. Check its indentation."),
    ("expected", "", "here", "unexpected text after the value. Inside '...' a quote is written twice ('')."),
)


def _syntax(text: str, error: yaml.MarkedYAMLError) -> _Problem:
    """The parser's complaint as a sentence that says what to do."""
    here = error.problem_mark or yaml.Mark("", 0, 0, 0, None, 0)
    opened = error.context_mark or here
    problem, context = error.problem or "", error.context or ""
    line = [*text.splitlines(), ""][here.line]
    if "cannot start any token" in problem:
        return _Problem(here.line + 1, here.column + 1, _bad_start(line[here.column]))
    for in_problem, in_context, where, sentence in _COMPLAINTS:
        if in_problem in problem and in_context in context and (where != "indented" or not line[: here.column].strip()):
            mark = opened if where == "opened" else here
            return _Problem(mark.line + 1, mark.column + 1, sentence)
    return _Problem(here.line + 1, here.column + 1, f"not valid YAML: {problem}.")


def _bad_start(character: str) -> str:
    if character == "\t":
        return "a tab is used for indentation. Use spaces."
    return f"a value cannot start with '{character}'. Put it in quotes."
