"""One worker process: the calls that are handed to it, and the requests about them.

    python -m voicebot.server.processes.worker <socket> < orders.json

SIGTERM: no new calls; the running ones finish, and it leaves. SIGUSR1: they end now. So they do when its supervisor is
gone.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys

from loguru import logger

from voicebot import logs
from voicebot.errors import EXIT_FAILED, EXIT_OK, VoicebotError
from voicebot.server.processes.channel import WorkerEnd
from voicebot.server.processes.crew import Failed, Orders


def main() -> None:
    socket_number = int(sys.argv[1])
    os.set_inheritable(socket_number, False)  # not for programs that a call may start
    orders = Orders.model_validate_json(sys.stdin.buffer.read())
    line = WorkerEnd(socket.socket(fileno=socket_number))
    logs.begin(orders.log, colour=orders.colour, worker=orders.place)
    many_files()
    sys.exit(_work(orders, line))


def _work(orders: Orders, line: WorkerEnd) -> int:
    try:
        import uvloop

        from voicebot.server.processes.serving import (
            serve,  # the engine, seconds of it: by now the log is as it should be
        )

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            left = runner.run(serve(orders, line))
    except VoicebotError as error:
        line.tell(failed=Failed(sentence=str(error), exit_code=error.exit_code).model_dump())
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the supervisor is told, whatever it is, and the log has the traceback
        logger.exception("this worker cannot go on")
        told = f"unexpected {type(error).__name__}: {error}"
        line.tell(failed=Failed(sentence=told, exit_code=EXIT_FAILED).model_dump())
        return EXIT_FAILED
    return EXIT_FAILED if left else EXIT_OK


def many_files() -> None:
    """A call needs a socket and two files; the usual limit of 1024 is one for programs of the last century."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
