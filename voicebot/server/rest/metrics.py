"""What is at /metrics: what the workers write on their board, and what they count of their calls, added up."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from voicebot import __version__
from voicebot.observe.metrics import Merged
from voicebot.server.capacity.board import REASONS, WHYS, Board
from voicebot.server.site import Site


class Figures(Collector):
    """Read when they are asked for; nothing of a call waits for it."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("voicebot_build", "Which voicebot this is.", value={"version": __version__})
        yield from self._calls()
        yield from self._counts()
        yield from self._workers()

    def _calls(self) -> Iterator[Metric]:
        rows = self._board.rows()
        yield GaugeMetricFamily("voicebot_calls_active", "Calls now.", value=sum(row.calls for row in rows))
        taking = [row for row in rows if row.ready and not row.draining]
        limit = sum(row.limit for row in taking)
        yield GaugeMetricFamily("voicebot_calls_limit", "Calls that the server would carry at once.", value=limit)
        yield GaugeMetricFamily("voicebot_workers_ready", "Workers that take calls.", value=len(taking))

    def _counts(self) -> Iterator[Metric]:
        places = self._board.places()
        started = sum(place.started for place in places)
        yield CounterMetricFamily("voicebot_calls_started", "Calls that were taken.", value=started)
        ended = CounterMetricFamily("voicebot_calls_ended", "Calls by how they ended.", labels=["reason"])
        for reason in REASONS:
            ended.add_metric([reason], sum(place.ended[reason] for place in places))
        yield ended
        refused = CounterMetricFamily("voicebot_calls_refused", "Calls that were turned away, and why.", labels=["why"])
        for why in WHYS:
            refused.add_metric([why], sum(place.refused[why] for place in places))
        yield refused

    def _workers(self) -> Iterator[Metric]:
        calls = GaugeMetricFamily("voicebot_worker_calls", "Calls of a worker now.", labels=["worker"])
        lag_text = "How late the event loop of a worker is, 95th percentile of the last seconds."
        lag = GaugeMetricFamily("voicebot_worker_lag_seconds", lag_text, labels=["worker"])
        memory = GaugeMetricFamily("voicebot_worker_memory_bytes", "Memory of a worker (RSS).", labels=["worker"])
        for row in self._board.rows():
            worker = [str(row.place)]
            calls.add_metric(worker, row.calls)
            lag.add_metric(worker, row.lag_ms / 1000)
            memory.add_metric(worker, row.memory_bytes)
        yield from (calls, lag, memory)


def registry(site: Site) -> CollectorRegistry:
    """One of its own: nothing else of the process gets into it."""
    found = CollectorRegistry()
    found.register(Figures(site.board))
    shared = site.settings.figures_dir
    taken = {row.place for row in site.board.rows()}
    found.register(Merged(shared, taken) if shared else site.meters.registry)
    return found
