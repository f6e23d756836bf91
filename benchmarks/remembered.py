"""Whether a server remembers all its calls: in the folder of records, and in the books behind its REST interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.telephone import Outcome
from tests.doubles.serve_process import Server

SETTLE_S = 5.0
"""How long the last calls may take to be written down."""


async def forgotten(server: Server, outcomes: Sequence[Outcome]) -> list[str]:
    """What of `outcomes` is not in the record, or not to its end, and what is there that nobody made; a line each."""
    (key,) = await asyncio.to_thread(server.create_keys, ["calls:read"])
    until = asyncio.get_running_loop().time() + SETTLE_S
    while faults := await _faults(server, key, sum(outcome.how in ("answered", "degraded") for outcome in outcomes)):
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(0.2)
    return faults


async def _faults(server: Server, key: str, heard: int) -> list[str]:
    folders = [path.parent for path in (server.project / "calls").glob("*/events.jsonl")]
    whole = {folder.name for folder in folders if _is_whole(folder)}
    booked = await _booked(server.url, key)
    ended = {row["id"] for row in booked if row["state"] == "ended" and row["reason"]}
    faults = {
        f"{heard} calls were heard, and {len(whole)} of {len(folders)} records are whole": len(whole) != heard,
        f"{len(booked) - len(ended)} of {len(booked)} calls in the books have no end": len(booked) != len(ended),
        f"{len(whole - ended)} records are of calls that are not in the books": not whole <= ended,
    }
    return [fault for fault, is_one in faults.items() if is_one]


def _is_whole(folder: Path) -> bool:
    lines = (folder / "events.jsonl").read_text().splitlines()
    return bool(lines) and json.loads(lines[-1])["type"] == "call_ended" and (folder / "call.wav").is_file()


async def _booked(url: str, key: str) -> list[dict[str, Any]]:
    """All calls, as the REST interface lists them."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}) as http:
        while cursor is not None:
            answer = await http.get("/v1/calls", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
            page = answer.raise_for_status().json()
            rows += page["calls"]
            cursor = page["next_cursor"]
    return rows
