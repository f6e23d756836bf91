from __future__ import annotations

from pathlib import Path

from tests.doubles import staged
from voicebot.evals.ci import markdown
from voicebot.evals.compare import compare
from voicebot.evals.result import Finding


def test_the_page_has_rates_failures_and_what_is_not_counted(tmp_path: Path) -> None:
    run = staged.kept(
        tmp_path,
        staged.result(staged.case("good")),
        staged.result(staged.case("bad"), "failed"),
        staged.result(staged.case("odd"), "invalid"),
    )
    page = markdown.summary(run)
    assert page.startswith("## voicebot: ci: 1 of 2 passed\n")
    assert "| books | 50% | 2 (few) | 700 ms | 800 ms |" in page
    assert '- `books/bad/clean#0`\n  - **tools**, at 12.3 s: expected 1 record, found none: "two"' in page
    assert "1 calls stayed invalid and are not counted. The first: the line broke" in page


def test_a_comparison_says_its_verdict_first(tmp_path: Path) -> None:
    before = [staged.result(staged.case("maria", seed)) for seed in range(12)]
    after = [staged.result(staged.case("maria", seed), "failed") for seed in range(12)]
    page = markdown.summary(staged.kept(tmp_path, *after), compare(before, after))
    assert page.startswith("## voicebot: ci: regressed, 0 of 12 passed\n")
    assert "- tools: " in page


def test_what_was_said_stays_text(tmp_path: Path) -> None:
    evil = Finding(check="said", ok=False, stage="brain", says="<script>x</script> | [a](b)\n# title @team `code`")
    page = markdown.summary(staged.kept(tmp_path, staged.result(staged.case(), "failed", findings=[evil])))
    line = next(line for line in page.splitlines() if "script" in line)
    assert "\\<script\\>" in line
    assert "\\| \\[a\\](b) \\# title @\u200bteam" in line
