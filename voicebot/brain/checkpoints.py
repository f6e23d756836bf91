"""Where the calls of a process keep their conversations: in memory, the latest state of each, nothing older."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.memory import InMemorySaver


class LatestSaver(InMemorySaver):
    """An InMemorySaver that forgets a call's earlier checkpoints.

    The stock one keeps every checkpoint with a full copy of the conversation, so a call's memory grows with the
    square of its turns. A phone call never travels back in time; its record is events.jsonl.
    """

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
