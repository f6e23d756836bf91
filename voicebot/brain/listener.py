"""Hears, while a graph of somebody else's runs, which of its models do not speak to the caller, and which tools run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langgraph.constants import TAG_NOSTREAM


class Listener(BaseCallbackHandler):
    """Hears which of a graph's models do not speak to the caller."""

    run_inline = True  # before LangGraph streams what it hears of

    def __init__(self) -> None:
        self._running: set[UUID] = set()
        """Tools that have begun and not ended."""
        self._inside: set[UUID] = set()
        """Runs of tools, and all that runs inside them."""
        self._silent: set[UUID] = set()
        self._muted: set[str] = set()
        self._tools: set[tuple[str, ...]] = set()
        """The namespaces of tasks in which a tool ran."""

    @property
    def tools_run(self) -> bool:
        return bool(self._running)

    def is_muted(self, message: BaseMessage, namespace: tuple[str, ...]) -> bool:
        """`namespace` is that of the graph which streams the message."""
        return message.id in self._muted or any(namespace[: len(task)] == task for task in self._tools)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._inside.add(run_id)
        self._running.add(run_id)
        self._tools.add(tuple(str((metadata or {}).get("langgraph_checkpoint_ns", "?")).split("|")))

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._running.discard(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._running.discard(run_id)

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        if parent_run_id in self._inside:
            self._inside.add(run_id)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        structured = "ls_structured_output_format" in (kwargs.get("options") or {})
        if structured or parent_run_id in self._inside or TAG_NOSTREAM in (tags or ()):
            self._silent.add(run_id)

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._silent and isinstance(chunk, ChatGenerationChunk) and chunk.message.id:
            self._muted.add(chunk.message.id)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._silent:
            messages = (getattr(each, "message", None) for given in response.generations for each in given)
            self._muted |= {message.id for message in messages if message and message.id}
