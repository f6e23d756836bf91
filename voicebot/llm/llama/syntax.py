"""How families of models write a tool call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Syntax:
    openers: tuple[str, ...]
    """What a call begins with. In words that are to be spoken, none of it has a place."""
    arguments: str
    """The key of the arguments in the call's JSON."""
    before: str
    """GBNF of what stands before the JSON."""
    after: str
    """GBNF of what stands behind it."""
    several: bool
    """One answer may hold more than one call."""


LLAMA = Syntax(("{", "<|python_tag|>"), "parameters", '" "? "<|python_tag|>"?', '""', several=False)
"""Llama 3.1 and later; also what a model is told that has no syntax of its own."""
HERMES = Syntax(("<tool_call>",), "arguments", '[ \\n]? "<tool_call>" [ \\n]?', '[ \\n]? "</tool_call>"', several=True)
"""Qwen, Hermes and others."""
