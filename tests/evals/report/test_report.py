"""The report: everything of a run in one file that needs nothing beside it and runs nothing that it is told."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
import soundfile

from tests.doubles.judged_run import JudgedRun, wrong
from tests.doubles.recorded_call import RecordedCall, booking
from voicebot.errors import BadInput
from voicebot.evals import report
from voicebot.evals.kept.runs import Run
from voicebot.evals.report import page as layout
from voicebot.personas.truth import Sound

HOSTILE = """</script><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{ 7*7 }}<style>*{display:none}</style>"""
VOID = {"meta", "input", "img"}
"""What ends with its own tag; parts of pictures are closed by a slash."""


class Html(HTMLParser):
    """The elements of a page, and whether they are nested as they must be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.texts.append(data)

    def of(self, tag: str, **having: str) -> list[dict[str, str | None]]:
        wanted = {name.rstrip("_"): value for name, value in having.items()}
        return [
            attrs
            for name, attrs in self.elements
            if name == tag and all(value in (attrs.get(key) or "").split() for key, value in wanted.items())
        ]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def page(run: Run, tmp_path: Path, **options: object) -> Html:
    path = report.write(run, tmp_path / "report.html", **options)  # type: ignore[arg-type]  # any of its options
    return Html(path.read_text(encoding="utf-8"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return (
        JudgedRun(tmp_path)
        .call("books", "maria", failed=[wrong(), wrong("too slow", stage="latency", at_ms=None)])
        .call("books", "henry")
        .call("books", "henry", seed=1, failed=[wrong()])
        .call("cancels", "maria", broke="the judge did not answer")
        .call("cancels", "maria")
        .call("cancels", "henry", broke="the line fell dead")
        .done()
    )


def test_a_page_is_well_formed_and_every_link_leads_somewhere(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path)
    assert html.wrong == []
    ids = Counter(attrs["id"] for _, attrs in html.elements if "id" in attrs)
    assert max(ids.values()) == 1
    targets = {attrs["href"] for attrs in html.of("a")} | {
        f"#{attrs['data-call']}" for attrs in html.of("button", class_="play")
    }
    assert {(target or "").removeprefix("#") for target in targets} <= set(ids)


def test_a_page_needs_nothing_from_anywhere(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path)
    places = [attrs.get(name) for _, attrs in html.elements for name in ("src", "href", "data", "poster", "srcset")]
    assert [place for place in places if place and not place.startswith(("#", "data:audio/ogg;base64,"))] == []
    style = (Path(report.__file__).parent / "report.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_the_verdict_comes_first_with_its_interval_and_its_n(run: Run, tmp_path: Path) -> None:
    text = page(run, tmp_path).text
    assert "2 of 4 calls passed: 50.0 % (95 % interval 15.0 % to 85.0 %)" in text.replace("\u00a0", " ")
    assert "Fewer than 10 calls" in text
    assert text.index("calls passed") < text.index("What failed") < text.index("Transcript")


def test_the_matrix_tells_verdicts_without_colour(run: Run, tmp_path: Path) -> None:
    cells = {attrs["aria-label"]: attrs["class"] for attrs in page(run, tmp_path).of("a", class_="cell")}
    assert cells == {
        "books, henry: 1 of 2 passed": "cell mixed",
        "books, maria: 0 of 1 passed": "cell failed",
        "cancels, henry: 0 of 0 passed, 1 invalid": "cell invalid",
        "cancels, maria: 1 of 1 passed": "cell passed",
    }


def test_lines_are_columns_of_their_own_where_there_are_several(tmp_path: Path) -> None:
    run = JudgedRun(tmp_path).call("books", "maria").call("books", "maria", line="phone").done()
    labels = [attrs["aria-label"] for attrs in page(run, tmp_path).of("a", class_="cell")]
    assert labels == ["books, maria, clean: 1 of 1 passed", "books, maria, phone: 1 of 1 passed"]


def test_invalid_attempts_stand_apart_and_in_no_count(run: Run, tmp_path: Path) -> None:
    text = page(run, tmp_path).text
    assert "cancels/maria/clean#0 : the judge did not answer (made good by a later attempt)" in text
    assert "cancels/henry/clean#0 : the line fell dead" in text
    assert "1 call is invalid and counted nowhere" in text


def test_a_failure_is_played_from_two_seconds_before_it(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path)
    assert {attrs["data-from"] for attrs in html.of("button", class_="play")} == {"7000.0"}
    assert "too slow" in html.text  # and it has no moment, so there is nothing to play
    first = JudgedRun(tmp_path / "other").call("books", "maria", failed=[wrong(at_ms=500.0)]).done()
    assert {attrs["data-from"] for attrs in page(first, tmp_path).of("button", class_="play")} == {"0.0"}


def test_what_was_cut_off_is_told_apart_from_what_was_heard(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path)
    assert "On Tuesday I have nine thirty, ✂ ten fifteen, or eleven. Which one would you like?" in html.text
    assert html.of("s")
    assert html.of("rect", class_="lost")


def test_the_truth_of_the_caller_stands_beside_what_was_understood(tmp_path: Path) -> None:
    sounds = [
        Sound(kind="speech", starts_ms=6340, ends_ms=8900, text="hi I'd like to book a clean ring"),
        Sound(kind="backchannel", starts_ms=10_000, ends_ms=10_300, text="uh-huh"),
        Sound(kind="speech", starts_ms=29_000, ends_ms=29_900, text="hello, anybody there?"),
    ]
    html = page(JudgedRun(tmp_path).call("books", "maria", sounds=sounds).done(), tmp_path)
    assert "said: hi I'd like to book a clean ring" in html.text
    assert "caller: backchannel “uh-huh”" in html.text
    assert "“hello, anybody there?” was not taken for a turn" in html.text
    assert len(html.of("rect", class_="aside")) == 1


def test_lanes_lie_on_the_time_of_the_call(tmp_path: Path) -> None:
    told = booking()
    html = page(
        JudgedRun(tmp_path).call("books", "maria", told=told, failed=[wrong(at_ms=told.now_ms / 2)]).done(), tmp_path
    )
    assert html.of("line", x1="50.00%")  # the failing moment
    ticks = [float((attrs["x1"] or "0").rstrip("%")) for attrs in html.of("line", class_="tick")]
    assert ticks == sorted(ticks)
    assert ticks[-1] <= 100
    assert {"tool", "brain", "silence"} <= {
        (attrs["class"] or "").split()[-1] for attrs in html.of("rect", class_="bar")
    }


def test_sound_in_the_page_is_the_call(run: Run, tmp_path: Path) -> None:
    sources = [attrs["src"] or "" for attrs in page(run, tmp_path, audio="all").of("audio")]
    assert len(sources) == 5
    samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(sources[0].split(",")[1])))
    assert len(samples) / rate_hz == pytest.approx(20.0, abs=0.1)
    half = len(samples) // 2
    caller, agent = samples[: half - 1000, 0], samples[half + 1000 :, 1]
    assert min(abs(caller).max(), abs(agent).max()) > 0.2
    assert max(abs(samples[half + 1000 :, 0]).max(), abs(samples[: half - 1000, 1]).max()) < 0.05


def test_no_sound_when_none_is_wanted_and_a_word_where_there_is_none(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path, audio="none")
    assert html.of("audio") == []
    assert html.of("button", class_="play") == []
    assert "Its sound is not in this page" in html.text
    typed = JudgedRun(tmp_path / "typed").call("books", "maria", seconds=0).done()
    assert "This call has no sound" in page(typed, tmp_path).text


def test_a_suite_of_sixty_calls_fits_into_five_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound takes what room there is for it, failed calls first, and all the rest of the page fits beside it."""
    made = JudgedRun(tmp_path)
    for n in range(60):
        made.call("books", f"persona {n % 20}", seed=n // 20, failed=[wrong()] if n % 3 == 0 else [], seconds=5)
    assert layout.ROOM_BYTES + 1_500_000 <= 5_000_000
    monkeypatch.setattr(layout, "ROOM_BYTES", 100_000)
    path = report.write(made.done(), tmp_path / "report.html")
    html = Html(path.read_text(encoding="utf-8"))
    sounds = [len(attrs["src"] or "") for attrs in html.of("audio")]
    assert 3 < len(sounds) < 20
    assert 50_000 < sum(sounds) < 100_000
    assert path.stat().st_size - sum(sounds) < 1_500_000
    assert len(html.of("details", class_="call")) == 60
    assert html.text.count("which would have become too large") == 20 + 3 - len(sounds)


def test_three_calls_that_passed_can_be_heard_for_comparison(tmp_path: Path) -> None:
    made = JudgedRun(tmp_path).call("books", "maria", failed=[wrong()], seconds=2)
    for n in range(5):
        made.call("books", f"persona {n}", seconds=2)
    assert len(page(made.done(), tmp_path).of("audio")) == 1 + 3


def test_what_callers_say_is_text_and_nothing_else(tmp_path: Path) -> None:
    told = RecordedCall(agent=HOSTILE, caller=HOSTILE).greets(HOSTILE)
    told.turn(HOSTILE, HOSTILE, tool=(HOSTILE, {HOSTILE: HOSTILE}, HOSTILE), heard="</script>").ended(detail=HOSTILE)
    sounds = [Sound(kind="side_speech", starts_ms=0, ends_ms=100, text=HOSTILE)]
    finding = wrong(HOSTILE, check=HOSTILE, quote=HOSTILE)
    made = JudgedRun(tmp_path, hashes={HOSTILE: HOSTILE}, versions={HOSTILE: HOSTILE})
    made.call(HOSTILE, HOSTILE, line=HOSTILE, told=told, sounds=sounds, failed=[finding])
    html = page(made.call("books", "maria", broke=HOSTILE).done(), tmp_path)
    plain = page(JudgedRun(tmp_path / "plain").call("books", "maria").done(), tmp_path)
    for tag in ("script", "style", "img"):
        assert len(html.of(tag)) == len(plain.of(tag)), tag
    assert [name for _, attrs in html.elements for name in attrs if name.startswith("on") or name == "style"] == []
    assert html.wrong == []
    assert "49" not in html.text.split("Transcript")[1][:400]
    assert "{{ 7*7 }}" in html.text


def test_the_browser_is_told_to_run_our_own_script_only(run: Run, tmp_path: Path) -> None:
    text = report.write(run, tmp_path / "report.html").read_text(encoding="utf-8")
    policy = next(attrs["content"] or "" for attrs in Html(text).of("meta") if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'")
    for tag in ("script", "style"):
        (code,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_a_browser_runs_the_page_from_the_disk(run: Run, tmp_path: Path) -> None:
    """A link to a call opens it, although the policy forbids nearly everything."""
    path = report.write(run, tmp_path / "report.html")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'user'}",
        *quiet,
    ]
    done = subprocess.run(
        [*command, "--dump-dom", f"{path.as_uri()}#call-2"], capture_output=True, text=True, timeout=60, check=True
    )
    html = Html(done.stdout)
    (shown,) = [attrs for attrs in html.of("details", class_="call") if "open" in attrs]
    assert shown["id"] == "call-2"
    assert "5 of 5" in html.text


def test_a_comparison_says_what_broke_and_which_calls_show_it(tmp_path: Path) -> None:
    before, now = JudgedRun(tmp_path, "before"), JudgedRun(tmp_path, "now")
    for n in range(12):
        before.call("books", f"persona {n}")
        now.call("books", f"persona {n}", failed=[wrong()])
    baseline, run = before.done(), now.done()
    html = page(run, tmp_path, compare_to=baseline)
    assert "Compared with before" in html.text
    assert html.of("p", class_="regressed")
    assert len(html.of("b", class_="new")) == 12
    assert "books/persona 3/clean#0" in html.text.split("Who called about what")[0]
    assert "Compared with" not in page(run, tmp_path).text


def test_a_run_without_calls_and_a_call_without_a_record_have_a_page(tmp_path: Path) -> None:
    assert "No call counts" in page(JudgedRun(tmp_path / "empty").done(), tmp_path).text
    run = JudgedRun(tmp_path / "lost").call("books", "maria", failed=[wrong()]).done()
    for path in (run.folder / "calls").rglob("*.*"):
        if path.is_file():
            path.unlink()
    html = page(run, tmp_path)
    assert "no appointment for Maria" in html.text
    assert "This call has no sound" in html.text


def test_a_record_that_breaks_off_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    run = JudgedRun(tmp_path).call("books", "maria", broke="the process died").done()
    (record,) = (run.folder / "calls").rglob("events.jsonl")
    record.write_bytes(record.read_bytes()[:4000])
    html = page(run, tmp_path)
    assert html.wrong == []
    assert "Bright Smile Dental, this is Ava." in html.text


def test_a_folder_takes_a_report_html_and_what_cannot_be_written_is_said(run: Run, tmp_path: Path) -> None:
    assert report.write(run, tmp_path) == tmp_path / "report.html"
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot write"):
        report.write(run, tmp_path / "file" / "report.html")
