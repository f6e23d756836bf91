"""A file over HTTP into a part file, resumed where an earlier attempt stopped.

Resuming asks for the rest with `Range`, and with `If-Range` so that a file that was replaced comes whole (RFC 9110,
sections 13.1.5 and 14.2). The Hugging Face hub answers with a redirect to its storage and announces the file's sha256
in `X-Linked-Etag` on the way.
"""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from voicebot import __version__, paths
from voicebot.errors import Unavailable
from voicebot.models.catalogue import File

PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Before each new attempt that follows one that brought nothing."""
LONGEST_PAUSE_S = 60.0
"""A server that wants to be left alone for longer than this is left alone for good."""
REDIRECTS = 5
RESERVE_BYTES = 100_000_000
"""What a disk keeps free."""
_SHA256 = re.compile(r'^"?([0-9a-f]{64})"?$')


@dataclass(frozen=True)
class Progress:
    """How far a file is, in bytes."""

    stage: Literal["fetching", "waiting", "checking"]
    done: int
    total: int


Report = Callable[[Progress], None]


class Unreachable(Unavailable):
    """The server does not give the file to us. A person may get it in another way."""


class _Passing(Exception):
    """It may work in a moment."""

    def __init__(self, why: str, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class Transfer:
    """Brings `file` into `part`. `announced` is the sha256 that the server named for it, '' when it named none."""

    def __init__(self, file: File, part: Path, report: Report) -> None:
        self.announced = ""
        self._file = file
        self._part = part
        self._report = report
        self._validator = part.with_name(part.name + ".etag")
        """Holds the ETag of what is in the part file."""
        self._host = file.url.partition("://")[2].partition("/")[0] or file.url
        self._reached = False

    def run(self) -> None:
        """Raises Unreachable, Unavailable. Whatever stops it, what has arrived stays."""
        timeout = httpx.Timeout(30.0, connect=10.0)
        headers = {"User-Agent": f"voicebot/{__version__}", "Accept-Encoding": "identity"}
        with httpx.Client(timeout=timeout, headers=headers) as client:
            failures = 0
            while self.size() != self._file.size:
                before = self.size()
                try:
                    self._attempt(client)
                except httpx.InvalidURL as error:
                    raise Unreachable(f"{self._file.url} leads to no address: {error}.") from error
                except (httpx.TransportError, _Passing) as error:
                    failures = 0 if self.size() > before else failures + 1
                    self._pause(error, failures)
                except OSError as error:
                    raise _disk(error, self._part) from error
        self._validator.unlink(missing_ok=True)

    def size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)

    def _pause(self, error: Exception, failures: int) -> None:
        """Wait before the next attempt, or give up."""
        offline = isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol) and not self._reached
        if offline or failures > len(PAUSES_S):
            raise Unreachable(f"{self._host} cannot be reached: {str(error) or type(error).__name__}.") from error
        pause_s = error.pause_s if isinstance(error, _Passing) and error.pause_s else PAUSES_S[max(failures, 1) - 1]
        self._report(Progress("waiting", self.size(), self._file.size))
        time.sleep(pause_s)

    def _attempt(self, client: httpx.Client) -> None:
        have = self.size()
        headers = {"Range": f"bytes={have}-"} if have else {}
        if have and self._validator.is_file():
            headers["If-Range"] = self._validator.read_text()
        response = self._followed(client, headers)
        try:
            begins = self._begins(response, have)
            self._check_room(self._file.size - begins)
            self._write(response, begins)
        finally:
            response.close()

    def _followed(self, client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
        """The answer behind all redirects, its body not read yet."""
        url = httpx.URL(self._file.url)
        for _ in range(REDIRECTS + 1):
            response = client.send(client.build_request("GET", url, headers=headers), stream=True)
            self._reached = True
            self._take_announced(response)
            if not response.has_redirect_location:
                return response
            response.close()
            further = url.join(response.headers["Location"])
            if url.scheme == "https" and further.scheme != "https":
                raise Unreachable(f"{url.host} sends us to an address that is not secure.")
            url = further
        raise Unreachable(f"{self._host} sends us in circles.")

    def _take_announced(self, response: httpx.Response) -> None:
        for name in ("X-Linked-Etag", "ETag"):
            found = _SHA256.match(response.headers.get(name, ""))
            if found and not self.announced:
                self.announced = found[1]
        if self._file.sha256 and self.announced not in ("", self._file.sha256):
            response.close()
            raise Unreachable(
                f"{self._file.name} is not the file it was: the catalogue names sha256 {self._file.sha256}, "
                f"the server {self.announced}."
            )

    def _begins(self, response: httpx.Response, have: int) -> int:
        """Where in the file the body begins. Raises for what is not the file."""
        status = response.status_code
        host = response.url.netloc.decode()
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.discard()
            raise _Passing("the part does not belong to this file")
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            pause_s = _retry_after_s(response)
            if pause_s > LONGEST_PAUSE_S:
                raise Unreachable(f"{host} refuses more downloads for {pause_s:.0f} s (HTTP {status}). Try again then.")
            raise _Passing(f"HTTP {status}", pause_s)
        if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise Unreachable(f"{host} does not give {self._file.name} (HTTP {status} {response.reason_phrase}).")
        begins = have if status == httpx.codes.PARTIAL_CONTENT else 0
        whole = begins + int(response.headers.get("Content-Length") or self._file.size - begins)
        if status == httpx.codes.PARTIAL_CONTENT:
            given = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            if not given or int(given[1]) != have:
                self.discard()
                raise _Passing("not the part that was asked for")
        if whole != self._file.size:
            raise Unreachable(f"{self._file.name} has {whole} bytes at {host}; the catalogue says {self._file.size}.")
        return begins

    def _write(self, response: httpx.Response, begins: int) -> None:
        etag = response.headers.get("ETag", "")
        if etag.startswith('"'):  # weak ones do not speak for the bytes
            self._validator.write_text(etag)
        with self._part.open("ab" if begins else "wb") as part:
            done = begins
            for chunk in response.iter_raw():
                part.write(chunk)
                done += len(chunk)
                self._report(Progress("fetching", done, self._file.size))
        if self.size() > self._file.size:
            self.discard()
            raise _Passing("more came than was announced")
        if self.size() < self._file.size:
            raise _Passing("it broke off")

    def _check_room(self, need: int) -> None:
        free = shutil.disk_usage(self._part.parent).free
        if free < need + RESERVE_BYTES:
            raise Unavailable(
                f"{self._file.name} needs {need / 1e9:.1f} GB more and {paths.shown(self._part.parent)} has "
                f"{free / 1e9:.1f} GB free. Make room, or set {paths.MODELS_SETTING} to a folder on another disk."
            )


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0


def _disk(error: OSError, path: Path) -> Unavailable:
    remedy = f" Set {paths.MODELS_SETTING} to a folder on another disk." if error.errno == errno.ENOSPC else ""
    return Unavailable(f"{paths.shown(path)} cannot be written: {error.strerror}.{remedy}")
