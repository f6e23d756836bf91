from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.doubles.recorded_call import RecordedCall, booking
from voicebot.commands import run
from voicebot.events import parse

FIRST, SECOND = "20261122-101500-aaaa01", "20261122-111500-bbbb02"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a project with two calls."""
    booking(FIRST, started_at="2026-11-22T10:15:00+00:00").write(tmp_path / "calls")
    booking(SECOND, started_at="2026-11-22T11:15:00+00:00", caller="carl").write(tmp_path / "calls")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def out(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["calls", *words]) == code
    return capsys.readouterr().out


def err(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    assert run(["calls", *words]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_list_shows_the_latest_first_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.split("\t") for line in out(capsys, "list").splitlines()]
    assert [(line[0], line[3], line[5], line[7]) for line in lines] == [
        (SECOND, "carl", "4", "agent hung up"),
        (FIRST, "nina", "4", "agent hung up"),
    ]


def test_show_tells_what_the_models_used_and_that_a_filler_came_first(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = RecordedCall("20261122-121500-cccc03", started_at="2026-11-22T12:15:00+00:00").greets("Hello?")
    call.turn("when do you open", "At eight.", used=(1240, 1000, 35, 0.0006), filler="One moment.")
    call.turn("and close", "At five.", used=(1300, 1200, 20, None)).ended().write(project / "calls")
    lines = out(capsys, "show", "last").splitlines()
    (filled,) = [line for line in lines if "a filler after" in line]
    assert filled.strip().startswith("v2v 2164 ms = ")
    assert filled.endswith("(a filler after 1125)")
    assert lines[lines.index(filled) + 1].strip() == "1240 tokens in (1000 cached), 35 out, $0.0006"
    assert "1300 tokens in (1200 cached), 20 out, no price known" in [line.strip() for line in lines]
    assert lines[-2] == "models  2 answers, 2540 tokens in (2200 cached), 55 out, $0.0006+"
    assert lines[-1] == "cost    $0.0008: llm $0.0008"  # by the prices of today, what had none then
    models = json.loads(out(capsys, "show", "last", "--json"))["models"]
    assert (models["answers"], models["unpriced"], models["cost_usd"]) == (2, 1, 0.0006)


def test_list_as_json_carries_n_with_the_percentiles(capsys: pytest.CaptureFixture[str]) -> None:
    newest, _ = json.loads(out(capsys, "list", "--json"))
    assert (newest["call"], newest["answered"], newest["turns"], newest["state"]) == (SECOND, 4, 4, "ended")
    assert newest["v2v_p50_ms"] == pytest.approx(364)


def test_list_quietly_prints_ids_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "list", "--quiet", "-n", "1") == f"{SECOND}\n"


def test_list_goes_on_past_an_unreadable_record(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "calls" / FIRST / "events.jsonl").write_text("damaged\n")
    assert run(["calls", "list"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(SECOND)
    assert captured.err.count("not a record of a call") == 1


def test_show_is_one_line_an_utterance_and_the_parts_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "show", SECOND).splitlines()
    assert lines[2] == "00:00.0  agent   Bright Smile Dental, this is Ava. How can I help?"
    assert "caller  tuesday morning please" in lines[6]
    assert '⚙ find_slot(day="2026-11-24", part="morning") → ["09:30", "10:15", "11:00"]' in lines[7]
    assert lines[9].strip().startswith("v2v 662 ms = silence 200 + turn 310 + stt 110 +")
    for line in lines:
        if "v2v" in line and "=" in line:
            whole, parts = line.split("v2v ")[1].split(" ms = ")
            assert int(whole) == sum(int(part.split()[1]) for part in parts.split(" + "))
    assert lines[-1].startswith("voice to voice  n 4 of 4 turns  p50 364 ms  p95 617 ms")


def test_show_marks_what_the_caller_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert "On Tuesday I have nine thirty, ✂ ten fifteen, or eleven." in out(capsys, "show", "last")


def test_show_says_when_nobody_answered_and_how_it_stopped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RecordedCall("x", pid=0).greets("Hello?").turn("anybody", None).write(project / "calls")
    lines = out(capsys, "show", "x").splitlines()
    assert "cut off (process died)" in lines[-3]
    RecordedCall("y", pid=0).turn("anybody", None).turn("hello?", "Yes.").ended().write(project / "calls")
    assert "not answered" in out(capsys, "show", "y")


def test_show_reports_broken_lines_once_on_stderr(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "calls" / SECOND / "events.jsonl"
    lines = path.read_text().splitlines()
    lines[3] = lines[5] = "{broken"
    path.write_text("\n".join(lines) + '\n{"half')
    assert run(["calls", "show", "last"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("warning:") == 1
    assert "(line 4, 6)" in captured.err
    assert "agent hung up" in captured.out


def test_show_one_turn_draws_its_stages(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "show", "last", "--turn", "2")
    assert [line.split()[0] for line in shown.splitlines()[1:]] == [
        "silence", "turn", "stt", "brain", "clause", "voice", "playback", "v2v",
    ]  # fmt: skip
    assert "310 ms waiting" in shown


def test_show_as_json_has_the_whole_call(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(out(capsys, "show", "last", "--json"))
    assert [fall["turn"] for fall in shown["latency"]] == [1, 2, 3, 4]
    assert parse(json.dumps(shown["events"][0])).type == "call_started"


def test_text_of_callers_is_never_taken_for_markup(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = RecordedCall("m", caller="[bold]")
    call.turn("[red]no[/red] [/]", "[ok]", tool=("t", {"a": "[/]"}, "[/x]")).ended().write(project / "calls")
    shown = out(capsys, "show", "m")
    assert "[red]no[/red] [/]" in shown
    assert "[ok]" in shown
    assert "[bold]" in out(capsys, "list", "-n", "9")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "nope"), "no call 'nope' in calls."),
        (("show", "2026"), "is the beginning of 2 calls"),
        (("show", "last", "--turn", "9"), "has no caller turn 9. Known: 1, 2, 3, 4."),
        (("export", "last", "--to", "no/such/folder/x.txt"), "cannot write no/such/folder/x.txt: No such file"),
        (("play", "last", "--from-turn", "7"), "has no spoken turn 7"),
        (("list", "--project", "nowhere"), "nowhere: no such folder."),
    ],
)
def test_what_is_not_there_is_one_clear_line(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = err(capsys, *words)
    assert said.startswith("error: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_a_damaged_record_is_one_clear_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "calls" / SECOND / "events.jsonl").write_bytes(b"\x00\xff\n")
    assert "not a record of a call" in err(capsys, "show", SECOND)


def test_export_as_text_has_both_sides_and_the_tools(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "export").splitlines()
    assert lines[0] == "00:00.0  agent   Bright Smile Dental, this is Ava. How can I help?"
    assert [line.split()[1] for line in lines].count("tool") == 2
    assert [line[:7] for line in lines] == sorted(line[:7] for line in lines)


def test_export_as_subtitles_ends_an_interrupted_clause_where_it_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = out(capsys, "export", "--format", "srt").strip().split("\n\n")
    assert blocks[0].split("\n")[0] == "1"
    assert blocks[0].split("\n")[1] == "00:00:00,015 --> 00:00:00,975"
    assert not any("which one" in block.lower() for block in blocks), "a clause nobody heard is no subtitle"
    times = [block.split("\n")[1].split(" --> ") for block in blocks]
    assert all(start < end for start, end in times)


def test_export_writes_the_recording_byte_for_byte(project: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    recording = (project / "calls" / SECOND / "call.wav").read_bytes()
    assert run(["calls", "export", "--format", "wav", "--to", "copy.wav"]) == 0
    assert (project / "copy.wav").read_bytes() == recording
    capsysbinary.readouterr()
    assert run(["calls", "export", "--format", "wav"]) == 0
    assert capsysbinary.readouterr().out == recording


def test_a_typed_call_has_no_recording_to_play_or_export(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = RecordedCall("typed", transport="keyboard").turn("hi", "Hello.", reason="typed")
    call.write(project / "calls", audio=False)
    assert "has no recording" in err(capsys, "play", "typed")
    assert "has no recording" in err(capsys, "export", "typed", "-f", "wav")


def test_without_sounddevice_play_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    said = err(capsys, "play", "last", code=3)
    assert 'pip install "voicebot[mic]"' in said
    assert "call.wav" in said


class Speaker:
    """Stands for sounddevice where there is no sound card: it keeps what it is given."""

    class PortAudioError(Exception): ...

    played = b""
    format: tuple[int, int, str]
    latency = 0.0

    def __init__(self, rate_hz: int = 0, channels: int = 0, dtype: str = "") -> None:
        type(self).format = (rate_hz, channels, dtype)

    RawOutputStream = property(lambda self: Speaker)

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: object) -> None: ...

    def write(self, pcm: bytes) -> None:
        Speaker.played += pcm


def test_play_begins_at_the_turn_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Speaker())
    whole = (project / "calls" / SECOND / "call.wav").read_bytes()[44:]
    assert run(["calls", "play", "last", "--from-turn", "3"]) == 0
    assert Speaker.format == (16000, 2, "int16")
    assert 0 < len(Speaker.played) < len(whole)
    assert whole.endswith(Speaker.played)
    assert "from 00:13" in capsys.readouterr().err
