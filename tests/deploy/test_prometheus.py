"""A real Prometheus with the files that are deployed, watching a real server of two workers that has calls."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("prometheus_client", reason='not installed: pip install "voicebot[server]"')

from tests.doubles.keyed_call import a_greeted_call
from tests.doubles.prometheus_server import OBSERVE, program, until
from tests.doubles.watched_server import SOON_S, Watched, watch

NOT_HAPPENED = re.compile("guardrail_hits|audio_notices|handovers")
"""What none of these calls has; all else has to be seen on the dashboard."""
EVERYTHING = {"$instance": ".*", "$agent": ".*"}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    program("prometheus")
    with ExitStack() as lasting:
        yield asyncio.run(watch(tmp_path_factory.mktemp("watched"), lasting, lambda seen: not empty(seen, EVERYTHING)))


@pytest.fixture(scope="module")
def alerts() -> dict[str, str]:
    """Expressions by name."""
    groups = yaml.safe_load((OBSERVE / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def dashboard(variables: dict[str, str]) -> list[str]:
    """Every query, as Grafana sends it."""
    board = json.loads((OBSERVE / "dashboard.json").read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    for name, value in {**variables, "$__rate_interval": "1m"}.items():
        queries = [query.replace(name, value) for query in queries]
    assert not any("$" in query for query in queries)
    return queries


def empty(seen: Watched, variables: dict[str, str]) -> list[str]:
    """The queries of the dashboard that nothing is shown for, and should."""
    asked = [query for query in dashboard(variables) if not NOT_HAPPENED.search(query)]
    return [query for query in asked if not seen.prometheus.has_data(query)]


def test_every_panel_shows_what_happened(watched: Watched) -> None:
    assert len(dashboard(EVERYTHING)) >= 40
    assert empty(watched, EVERYTHING) == []


def test_every_panel_shows_a_server_and_an_agent_that_are_chosen(watched: Watched) -> None:
    escaped = watched.prometheus.instance.replace(".", r"\\.")  # as Grafana does
    assert empty(watched, {"$instance": escaped, "$agent": "ava"}) == []


def test_panels_of_what_did_not_happen_are_empty_and_no_errors(watched: Watched) -> None:
    """Else nothing could be told from data."""
    left = [query for query in dashboard(EVERYTHING) if NOT_HAPPENED.search(query)]
    assert len(left) == 3
    assert not any(watched.prometheus.has_data(query) for query in left)
    assert len(empty(watched, {"$instance": "elsewhere", "$agent": ".*"})) > 30


def test_the_lists_to_choose_from_have_what_there_is(watched: Watched) -> None:
    board = json.loads((OBSERVE / "dashboard.json").read_text())
    found = {}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            [(series, label)] = re.findall(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
            found[variable["name"]] = watched.prometheus.ask(f"label/{label}/values", **{"match[]": series})
    assert found == {"instance": [watched.prometheus.instance], "agent": ["ava"]}


def test_every_rule_is_loaded_and_works(watched: Watched, alerts: dict[str, str]) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in watched.prometheus.ask("rules")["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()), SOON_S)
    found = {rule["name"]: (rule["health"], rule.get("lastError")) for rule in rules()}
    assert found == dict.fromkeys(alerts, ("ok", None))


def test_every_expression_of_an_alert_and_of_the_scaling_is_answered(
    watched: Watched, alerts: dict[str, str], deploy: Path
) -> None:
    scaling = yaml.safe_load((deploy / "kustomize" / "keda" / "scaling.yaml").read_text())
    for query in [*alerts.values(), scaling["spec"]["triggers"][0]["metadata"]["query"]]:
        watched.prometheus.ask("query", query=query)  # raises Rejected


async def test_the_page_is_as_prometheus_wants_it(watched: Watched) -> None:
    promtool = program("promtool")

    def complaints(page: str) -> str:
        done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    async with watched.client(watched.reads) as http:
        page = (await http.get("/metrics")).text
    assert complaints(page) == ""
    assert 'should have "_total" suffix' in complaints(page.replace("voicebot_turns_total", "voicebot_turns"))


async def test_what_goes_wrong_raises_its_alert(watched: Watched) -> None:
    """To the end, so the server is no more: this is the last test."""
    prometheus = watched.prometheus
    assert prometheus.has_data('ALERTS{alertname="VoicebotProviderPassedOver", provider="openai/broken"}')
    async with watched.client(watched.calls) as http, AsyncExitStack() as line:
        _, pid = await a_greeted_call(http, line)
        next(worker for worker in watched.server.workers if worker.pid == pid).send_signal(signal.SIGKILL)
    await asyncio.to_thread(until, lambda: bool(prometheus.alert("VoicebotCallsLost")), SOON_S)
    lost = prometheus.alert("VoicebotCallsLost")
    assert lost["state"] == "firing"
    assert lost["annotations"]["summary"] == f"{prometheus.instance} lost calls with their process: 1"
    assert prometheus.alert("VoicebotDown") == {}
    await asyncio.to_thread(watched.server.stop)
    await asyncio.to_thread(until, lambda: bool(prometheus.alert("VoicebotDown")), SOON_S)
    assert not prometheus.is_up()
