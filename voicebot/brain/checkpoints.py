"""Where the calls of a process keep their conversations: in memory, the latest state of each, nothing older."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
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
