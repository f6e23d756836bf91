"""What was said in calls, searched in memory."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.doubles.recorded_call import RecordedCall, booking
from voicebot.store.words import Words


def test_a_call_is_found_by_all_its_words_whoever_said_them(tmp_path: Path) -> None:
    folder = booking().write(tmp_path, audio=False)
    RecordedCall("other").greets("Hello?").turn("how much is a CLEANING", "Ninety dollars.").ended().write(tmp_path)
    words = Words(tmp_path)
    words.read()
    assert words.having(["Cleaning", "nine thirty"]) == {folder.name: "hi i would like to book a cleaning"}
    assert words.having(["cleaning"]).keys() == {folder.name, "other"}
    assert words.having(["nina lopez"]).keys() == {folder.name}
    assert words.having(["find_slot"]).keys() == {folder.name}
    assert words.openings["other"] == "how much is a CLEANING"


def test_what_has_come_grown_or_gone_is_noticed(tmp_path: Path) -> None:
    call = RecordedCall("grows").greets("Hello?").turn("hello", "Hi.")
    log = call.write(tmp_path, audio=False) / "events.jsonl"
    words = Words(tmp_path)
    words.read()
    assert words.having(["prices"]) == {}
    more = call.turn("your prices please", "Ninety.").events
    log.write_text("".join(event.model_dump_json() + "\n" for event in more) + '{"type": "turn_en')
    booking().write(tmp_path, audio=False)
    words.read()
    assert words.having(["prices"]) == {"grows": "your prices please"}
    assert words.having(["nine thirty"])
    shutil.rmtree(log.parent)
    words.read()
    assert words.having(["prices"]) == {}
    assert "grows" not in words.openings


def test_a_folder_without_calls_has_no_words(tmp_path: Path) -> None:
    words = Words(tmp_path / "nothing")
    words.read()
    assert words.having(["hello"]) == {}
