"""Where the calls of a process keep their conversations: in memory, the latest state of each, nothing older.

A graph that asks several things in one task gets its earlier answers from here when it is resumed with the next. A
checkpoint holds them as plain texts; they are given out as what they were, a `SpokenAnswer`, of which a "no" is false.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.types import RESUME

from voicebot.brain.spoken_answer import SpokenAnswer, consent


class LatestSaver(InMemorySaver):
    """An InMemorySaver that forgets a call's earlier checkpoints.

    The stock one keeps every checkpoint with a full copy of the conversation, so a call's memory grows with the
    square of its turns. A phone call never travels back in time; its record is events.jsonl.
    """

    def __init__(self, language: str = "en") -> None:
        """`language` is the callers'."""
        super().__init__()
        self._language = language

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return _revived(super().get_tuple(config), self._language)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        saved = super().put(config, checkpoint, metadata, new_versions)
        thread, namespace = saved["configurable"]["thread_id"], saved["configurable"]["checkpoint_ns"]
        latest = checkpoint["id"]
        for older in [other for other in self.storage[thread][namespace] if other != latest]:
            del self.storage[thread][namespace][older]
            self.writes.pop((thread, namespace, older), None)
        self._forget_values(thread, namespace, checkpoint["channel_versions"])
        return saved

    def _forget_values(self, thread: str, namespace: str, current: ChannelVersions) -> None:
        wanted = {(thread, namespace, channel, version) for channel, version in current.items()}
        stale = [key for key in self.blobs if key[:2] == (thread, namespace) and key not in wanted]
        for key in stale:
            del self.blobs[key]

    def forget_subgraphs(self, thread: str) -> None:
        """Of nested graphs that have come to their end, forget all but what they keep from turn to turn.

        The namespace of a run of one has the run's id behind a colon; that of one which has a memory of its own
        (`checkpointer=True`) has not.
        """
        for namespace in [each for each in self.storage.get(thread, ()) if ":" in each]:
            for checkpoint_id in self.storage[thread].pop(namespace):
                self.writes.pop((thread, namespace, checkpoint_id), None)
            self._forget_values(thread, namespace, {})

    def latest(self, thread: str) -> list[CheckpointTuple]:
        """The checkpoints of a call: of its graph, and of nested graphs."""
        namespaces = list(self.storage.get(thread, ()))
        found = (
            self.get_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": namespace}})
            for namespace in namespaces
        )
        return [each for each in found if each]


class GuestSaver(BaseCheckpointSaver[Any]):
    """A guest graph's own checkpointer, with the answers in it as what they were."""

    def __init__(self, saver: BaseCheckpointSaver[Any], language: str) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver
        self._language = language

    def get_next_version(self, current: Any, channel: None) -> Any:
        return self._saver.get_next_version(current, channel)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return _revived(await self._saver.aget_tuple(config), self._language)

    def alist(self, config: RunnableConfig | None, **how: Any) -> AsyncIterator[CheckpointTuple]:
        return self._saver.alist(config, **how)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await self._saver.aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await self._saver.aput_writes(config, writes, task_id, task_path)

    async def aget_delta_channel_history(self, **how: Any) -> Any:
        return await self._saver.aget_delta_channel_history(**how)


def _revived(saved: CheckpointTuple | None, language: str) -> CheckpointTuple | None:
    if saved is None or not saved.pending_writes:
        return saved
    writes = [
        (task, channel, _answer(value, language) if channel == RESUME else value)
        for task, channel, value in saved.pending_writes
    ]
    return saved._replace(pending_writes=writes)


def _answer(value: Any, language: str) -> Any:
    if isinstance(value, list):
        return [_answer(each, language) for each in value]
    return SpokenAnswer(value, consent(value, language)) if type(value) is str else value
