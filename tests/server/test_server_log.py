"""The log of a server."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, sys
from voicebot import logs
logs.begin(sys.argv[1], colour=False, worker=2)
from loguru import logger
def ours():
    secret = "sk-12345"
    logger.patch(lambda record: record.update(name="voicebot.server.x")).bind(call="c1").info("call {c} begins: 100 %")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.patch(lambda record: record.update(name="voicebot.server.x")).exception("it broke")
ours()
logger.info("a library talks")
logging.getLogger("asyncio").warning("of the standard library: %s", "late")
logging.getLogger("asyncio").info("not this")
logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
"""


def said(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_in_a_pipe_each_line_is_a_json_object() -> None:
    began, broke, library = (json.loads(line) for line in said("json"))
    assert (began["message"], began["level"], began["worker"], began["call"]) == (
        "call {c} begins: 100 %",
        "info",
        2,
        "c1",
    )
    assert broke["level"] == "error"
    assert broke["traceback"].endswith("ZeroDivisionError: division by zero")
    assert (library["level"], library["by"], library["message"]) == (
        "warning",
        "asyncio",
        "of the standard library: late",
    )


def test_on_a_terminal_it_is_text() -> None:
    lines = said("console")
    assert lines[0].endswith("call {c} begins: 100 %  worker=2  call=c1")
    assert "error: it broke" in lines[1]
    assert lines[-1].endswith("warning: of the standard library: late  worker=2  by=asyncio")


def test_a_traceback_shows_no_values() -> None:
    for form in ("json", "console"):
        assert "sk-12345" not in "\n".join(said(form)).replace('secret = "sk-12345"', "")


def test_nobody_waits_for_a_log_that_nobody_reads() -> None:
    program = (
        "import os, sys, time; from voicebot import logs; logs.begin('json')\n"
        "from loguru import logger\n"
        "log = logger.patch(lambda record: record.update(name='voicebot.server.x'))\n"
        "begun = time.monotonic()\n"
        "for _ in range(5000): log.info('x' * 100)\n"
        "print(time.monotonic() - begun < 5, flush=True); sys.stdin.read(); os._exit(0)"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"True\n", "nothing was read of 500 kB"
        process.stderr.close()
        process.communicate(b"", timeout=10)
        assert process.returncode == 0
