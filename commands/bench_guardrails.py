"""`voicebot bench guardrails`: how well the guardrails decide, over labelled sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.evals.bench.guarding import Judged, Report

    from .terminal import Screen


def guardrails(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own labelled sentences: a file, or a folder of them.")
    ] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="Also show what was missed and what was wrongly caught.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How much the guardrails catch, how much of it rightly, and what it costs.

    Recall: of the sentences with something in them, how many were caught; for private data only when nothing of it is
    left. Precision: of what was caught, how much was right. Without --data it is measured on the sentences that come
    with voicebot, with which in view its rules were written: your own say more.

    \b
    Examples:
      voicebot bench guardrails
      voicebot bench guardrails --errors
      voicebot bench guardrails --data my_sentences.yaml --json
    """
    from voicebot.evals.bench import guarding

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    sentences = guarding.load(data) if data else guarding.own()
    with screen.waiting(f"judging {len(sentences)} sentences ..."):
        report = guarding.measure(sentences)
    if as_json:
        screen.json(_document(report))
        return
    _show(screen, report)
    if errors:
        _show_errors(screen, report)


def _document(report: Report) -> dict[str, Any]:
    from voicebot.latency import percentiles

    delays = percentiles(report.delays_ms)
    assert delays is not None
    innocent = len(report.innocent)
    return {
        "scores": [
            {"rail": each.rail, "kind": each.kind, "n": each.n, "recall": each.recall, "precision": each.precision}
            for each in report.scores
        ],
        "innocent": innocent,
        "false_refusals": len(report.refused),
        "false_refusal_rate": len(report.refused) / innocent if innocent else None,
        "false_redactions": len(report.changed),
        "false_redaction_rate": len(report.changed) / innocent if innocent else None,
        "turn_p50_ms": delays.p50,
        "turn_p95_ms": delays.p95,
        "turn_max_ms": max(report.delays_ms),
        "missed": [{"what": what, **_row(each)} for what, each in report.missed],
        "wrongly_refused": [_row(each) for each in report.refused],
        "wrongly_changed": [_row(each) for each in report.changed],
    }


def _row(judged: Judged) -> dict[str, Any]:
    hits = [f"{hit.rail}/{hit.kind}" for hit in judged.ruling.hits]
    return {"side": judged.sentence.side, "text": judged.sentence.text, "became": judged.ruling.text, "hits": hits}


def _show(screen: Screen, report: Report) -> None:
    from voicebot.evals.bench.guarding import FEW

    document = _document(report)
    headers = ("rail", "kind", "n", "recall", "precision", "")
    screen.table(
        headers,
        [
            (
                each.rail,
                each.kind,
                str(each.n),
                _share(each.recall),
                _share(each.precision),
                "few" if each.n < FEW else "",
            )
            for each in report.scores
        ],
        right=headers[2:5],
    )
    for name, count in (("false refusals", len(report.refused)), ("false redactions", len(report.changed))):
        n = document["innocent"]
        screen.data(f"{name}: {_share(count / n if n else None)} ({count} of {n} innocent sentences)")
    screen.data(
        f"time of a turn: p50 {document['turn_p50_ms']:.2f} ms, p95 {document['turn_p95_ms']:.2f} ms, "
        f"longest {document['turn_max_ms']:.2f} ms (n={len(report.judged)})"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _show_errors(screen: Screen, report: Report) -> None:
    from rich.text import Text

    for what, each in report.missed:
        screen.data(Text(f"missed {what} ({each.sentence.side}): {each.sentence.text} -> {each.ruling.text}"))
    for kind, rows in (("refused", report.refused), ("changed", report.changed)):
        for each in rows:
            hits = ", ".join(f"{hit.rail}/{hit.kind}" for hit in each.ruling.hits)
            screen.data(
                Text(
                    f"wrongly {kind} ({each.sentence.side}): {each.sentence.text} -> {each.ruling.text or '-'} [{hits}]"
                )
            )
