"""What Prometheus and Grafana load: valid, and about metrics that there are, with labels that they have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

Known = dict[str, set[str]]
"""Labels by the names of series."""
SCRAPED = {"instance", "job"}
"""Labels that Prometheus adds to all it reads."""
NAME = re.compile(r"\b(?:voicebot_\w+|up)\b")
SELECTOR = re.compile(r"\b(voicebot_\w+|up)(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
DURATION = {"$__rate_interval": "5m", "$instance": ".*", "$agent": ".*"}
"""What Grafana puts in the place of its variables."""


@pytest.fixture(scope="module")
def board(deploy: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((deploy / "observe" / "dashboard.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def alerts(deploy: Path) -> list[dict[str, Any]]:
    loaded = yaml.safe_load((deploy / "observe" / "alerts.yaml").read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def asked(board: dict[str, Any]) -> list[str]:
    """Every query of the dashboard, as Grafana sends it."""
    queries = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    for variable, value in DURATION.items():
        queries = [query.replace(variable, value) for query in queries]
    return queries


def unknown(query: str, known: Known) -> Iterator[str]:
    """Series that there are not, and labels that those in the query do not have."""
    used = [name for name in NAME.findall(query) if name in known]
    yield from (name for name in NAME.findall(query) if name not in known)
    for name, selector in SELECTOR.findall(query):
        labels = set(LABEL.findall(re.sub(r'"[^"]*"', "", selector)))
        yield from (f"{name} has no {label}" for label in labels - known.get(name, labels) - SCRAPED)
    anywhere = set().union(*(known[name] for name in used)) | SCRAPED
    for group in GROUPING.findall(query):
        labels = {label.strip() for label in group.split(",")}
        yield from (f"nobody has {label}" for label in labels - anywhere)


def test_every_query_is_about_metrics_and_labels_that_there_are(
    known: Known, board: dict[str, Any], alerts: list[dict[str, Any]]
) -> None:
    queries = [*asked(board), *(rule["expr"] for rule in alerts)]
    assert len(queries) > 40
    assert [wrong for query in queries for wrong in unknown(query, known)] == []


def test_a_wrong_query_would_be_noticed(known: Known) -> None:
    query = 'sum by (agent, moon) (rate(voicebot_turns_total{worker="1", agent=~".*"}[5m])) / voicebot_calls_activ'
    assert set(unknown(query, known)) == {
        "voicebot_calls_activ",
        "voicebot_turns_total has no worker",
        "nobody has moon",
    }


def test_every_query_is_promql(board: dict[str, Any], alerts: list[dict[str, Any]]) -> None:
    promql = pytest.importorskip("promql_parser", reason="make extras installs promql-parser")
    for query in [*asked(board), *(rule["expr"] for rule in alerts)]:
        promql.parse(query)  # raises ValueError
    with pytest.raises(ValueError, match="unclosed"):
        promql.parse("sum(rate(voicebot_turns_total[5m])")


def test_every_metric_of_a_call_is_on_the_dashboard(known: Known, board: dict[str, Any]) -> None:
    shown = {name for query in asked(board) for name in NAME.findall(query)}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    missing = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known} - bases
    assert missing - {"up", "voicebot_build_info"} == set()


def test_what_a_legend_names_is_left_by_its_query(board: dict[str, Any], alerts: list[dict[str, Any]]) -> None:
    pairs = [(target["legendFormat"], target["expr"]) for panel in panels(board) for target in panel["targets"]]
    pairs += [(" ".join(rule["annotations"].values()), rule["expr"]) for rule in alerts]
    for text, query in pairs:
        grouped = {label.strip() for group in GROUPING.findall(query) for label in group.split(",")}
        if grouped or "sum(" in query:
            assert set(LEGEND.findall(text)) <= grouped, query


def test_grafana_can_place_every_panel(board: dict[str, Any]) -> None:
    assert board["uid"]
    assert board["schemaVersion"] >= 36
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, panel["title"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_asks_the_chosen_prometheus(board: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for panel in panels(board):
        for part in (panel, *panel["targets"]):
            assert part["datasource"]["uid"] == "${datasource}"
    used = {name for query in (target["expr"] for panel in panels(board) for target in panel["targets"])
            for name in re.findall(r"\$(\w+)", query)}  # fmt: skip
    assert used - {"__rate_interval"} <= variables.keys()


def test_every_alert_says_how_bad_it_is_and_what_it_means(alerts: list[dict[str, Any]]) -> None:
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 10
    for rule in alerts:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "description"} == rule["annotations"].keys()
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))


def test_prometheus_asks_every_voicebot_of_the_compose_file(deploy: Path) -> None:
    scraped = yaml.safe_load((deploy / "observe" / "prometheus.yaml").read_text())
    compose = yaml.safe_load((deploy / "compose.yaml").read_text())
    ours = {f"{name}:8080" for name, service in compose["services"].items() if service["image"] == "voicebot"}
    [job] = scraped["scrape_configs"]
    assert set(job["static_configs"][0]["targets"]) == ours
    assert job["job_name"] == "voicebot"  # the alert of a server that is down knows it by that
    assert scraped["rule_files"] == ["alerts.yaml"]


def test_what_the_compose_file_mounts_is_there(deploy: Path) -> None:
    compose = yaml.safe_load((deploy / "compose.yaml").read_text())
    watching = [compose["services"][name] for name in ("prometheus", "grafana")]
    mounted = [volume.split(":")[0] for service in watching for volume in service["volumes"] if volume[0] == "."]
    assert len(mounted) == 5
    assert all((deploy / path).is_file() for path in mounted)
    assert all(service["profiles"] == ["observe"] for service in watching)
