"""Whatever a path, a query or a body may hold: every answer is a proper one, and no file but an agent's is touched."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from hypothesis import strategies as st

from tests.doubles.fuzzing import BOMBS, exchange, for_a_while, names, request, statuses, values, well_behaved
from tests.server.fuzz.conftest import Target

PATHS = [
    *("/v1/agents", "/v1/agents/{}", "/v1/agents/validate", "/v1/agents/validate?name={}", "/v1/agents/{}/stream"),
    *(
        "/v1/calls",
        "/v1/calls?agent={}",
        "/v1/calls?before={}",
        "/v1/calls?limit={}",
        "/v1/calls?state={}",
        "/v1/calls/{}",
    ),
    *("/v1/calls/{}/end", "/v1/calls/{}/say", "/v1/calls/{}/transfer", "/v1/calls/{}/events", "/v1/calls/{}/recording"),
    *("/v1/{}", "/{}", "/twilio/voice/{}", "/twilio/after/{}", "/v1/openapi.json", "/v1/agents/ava"),
]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"]
TYPES = [
    "application/json",
    "application/yaml",
    "text/plain",
    "application/json; charset=utf-16",
    "",
    "multipart/form-data",
    "\u00fc",
]
OPEN = ("/livez", "/readyz")
bodies = st.one_of(
    st.just(b""),
    st.sampled_from(BOMBS),
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"agent": names, "caller": st.text(max_size=300), "parameters": values}).map(
        lambda value: json.dumps(value).encode()
    ),
)
headers = st.fixed_dictionaries(
    {"Content-Type": st.sampled_from(TYPES)},
    optional={
        "If-Match": st.sampled_from(["*", '"x"', "W/*", '"' + "0" * 64 + '"']),
        "Last-Event-ID": st.sampled_from(["0", "-1", "9" * 40, "\u0661", "x"]),
        "Accept": st.sampled_from(["text/event-stream", "application/yaml", "*/*;q=x"]),
        "Range": st.sampled_from(["bytes=0-0", "bytes=5-1", "bytes=0-,1-", "bytes=-99999999999999", "x"]),
        "Origin": st.sampled_from(["https://evil.example", "null"]),
        "X-HTTP-Method-Override": st.just("DELETE"),
    },
)
asked = st.tuples(st.sampled_from(METHODS), st.sampled_from(PATHS), names, bodies, headers)


def _requests(asked: list[tuple[str, str, str, bytes, dict[str, str]]], key: dict[str, str]) -> list[bytes]:
    made = []
    for method, path, name, body, headers in asked:
        target = path.format(name.replace("\ud800", "?")) if "{}" in path else path
        made.append(request(method, target, body, {**headers, **key}))
    return made


def test_friends_get_proper_answers_to_everything(target: Target) -> None:
    before = _tree(target.server.project)

    def check(several: list[tuple[str, str, str, bytes, dict[str, str]]]) -> None:
        for reply in exchange(target.port, _requests(several, target.key()), within_s=5, whole=True):
            well_behaved(reply)
            assert len(statuses(reply)) == 1, reply[:500]
            assert b"access-control-allow-origin" not in reply.lower()

    for_a_while(check, st.lists(asked, min_size=2, max_size=8))
    added = _tree(target.server.project) - before
    assert {path for path in added if not path.startswith((".voicebot/", "calls/", "agents/"))} == set()
    assert {path for path in added if path.startswith("agents/") and not path.endswith((".yaml", ".lock"))} == set()


def test_strangers_get_nothing(target: Target) -> None:
    def check(several: list[tuple[str, str, str, bytes, dict[str, str]]]) -> None:
        for (_, path, name, _, _), reply in zip(
            several, exchange(target.port, _requests(several, {}), within_s=5, whole=True), strict=True
        ):
            well_behaved(reply)
            assert statuses(reply)[0] >= 400 or (path == "/{}" and f"/{name}" in OPEN), reply[:500]

    for_a_while(check, st.lists(asked, min_size=2, max_size=8))


def _tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_path_that_leads_out_of_the_project_leads_nowhere(target: Target) -> None:
    """Also where the file is one that could be read: an agent outside of agents/."""
    outside = target.server.project / "secret.yaml"
    outside.write_text((target.server.project / "agents" / "ava.yaml").read_text())
    ways = [
        "../secret",
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..%5csecret",
        quote("..\u2215secret"),
        quote(str(outside)[:-5]),
    ]
    sent = [request("GET", f"/v1/agents/{way}", headers=target.key()) for way in ways]
    sent += [request("GET", f"/v1/calls/{way}.yaml/recording", headers=target.key()) for way in ways]
    replies = exchange(target.port, sent, within_s=5, whole=True)
    outside.unlink()
    assert {status for reply in replies for status in statuses(reply)} <= {404, 422}
