"""The end of a server that somebody asks for over REST. With real processes: test_serve_processes.py."""

from __future__ import annotations

from pathlib import Path

from tests.doubles.rest_client import rest


async def test_who_may_has_the_server_drained_and_nobody_else(tmp_path: Path) -> None:
    told: list[bool] = []
    async with rest(tmp_path / "project", stop=lambda: told.append(True)) as client:
        _, socket = await client.call()
        others = await client.key("calls:write", "metrics:read")
        assert (await client.http.post("/v1/drain", headers=others)).status_code == 403
        assert (await client.http.get("/readyz")).status_code == 200
        answer = await client.http.post("/v1/drain")
        assert (answer.status_code, answer.json()) == (202, {"calls": 1, "within_s": 600.0})
        assert told == [True]
        assert (await client.http.get("/readyz")).status_code == 503
        assert (await client.http.post("/v1/calls", json={"agent": "ava"})).status_code == 503
        await socket.close()


async def test_the_server_of_a_command_ends_with_the_command(tmp_path: Path) -> None:
    async with rest(tmp_path / "project") as client:
        answer = await client.http.post("/v1/drain")
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            "This server is part of a command, and ends with it.",
        )
        assert (await client.http.get("/readyz")).status_code == 200
