"""Pulling from a server that behaves, and from one that does not."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from filelock import FileLock

from tests.doubles.model_hub import ModelHub, Trouble
from voicebot.errors import Unavailable
from voicebot.models import store, transfer
from voicebot.models.catalogue import Entry, File
from voicebot.models.download import Progress, Unreachable, by_hand, pull

DATA = bytes(range(256)) * 20_000
"""5 MB."""
SHA256 = hashlib.sha256(DATA).hexdigest()
NAME = "owner/repo/abc123/tiny.gguf"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    monkeypatch.setattr(transfer, "PAUSES_S", (0.01, 0.01))


def model(sha256: str = SHA256, size: int = len(DATA), name: str = "tiny.gguf") -> Entry:
    file = File(hub="owner/repo", revision="abc123", name=name, size=size, sha256=sha256)
    return Entry(name="tiny", kind="llm", what="", license="", files=(file,))


class Pull:
    """Pulls from a hub and keeps what was reported."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.progress: list[Progress] = []

    def __call__(self, hub: ModelHub, entry: Entry | None = None) -> Path:
        self._monkeypatch.setenv("HF_ENDPOINT", hub.url)
        wanted = entry or model()
        pull(wanted, self.progress.append)
        return store.path_of(wanted)


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> Pull:
    return Pull(monkeypatch)


def part() -> Path:
    return store.part_of(store.path_of(model()))


def test_a_file_arrives_whole_and_leaves_no_part(pulled: Pull):
    with ModelHub({NAME: DATA}) as hub:
        path = pulled(hub)
    assert path.read_bytes() == DATA
    assert store.on_disk(model())
    assert [each.name for each in path.parent.iterdir() if not each.name.startswith(".")] == ["tiny.gguf"]
    assert [each.stage for each in pulled.progress][-1] == "checking"
    fetched = [each.done for each in pulled.progress if each.stage == "fetching"]
    assert fetched == sorted(fetched)
    assert fetched[-1] == len(DATA)


def test_what_is_here_already_is_not_fetched_again(pulled: Pull):
    with ModelHub({NAME: DATA}) as hub:
        pulled(hub)
        pulled(hub)
    assert len(hub.requests) == 1


def test_a_connection_that_breaks_is_taken_up_where_it_broke(pulled: Pull):
    with ModelHub({NAME: DATA}, Trouble(cut_after=1_000_000), Trouble(cut_after=2_000_000)) as hub:
        assert pulled(hub).read_bytes() == DATA
    assert [headers.get("Range") for _, headers in hub.requests] == [None, "bytes=1000000-", "bytes=3000000-"]
    assert hub.requests[1][1]["If-Range"] == '"stored-1"'


def test_a_part_from_an_earlier_attempt_is_gone_on_with(pulled: Pull):
    part().parent.mkdir(parents=True)
    part().write_bytes(DATA[:4_000_000])
    with ModelHub({NAME: DATA}) as hub:
        assert pulled(hub).read_bytes() == DATA
    assert [headers["Range"] for _, headers in hub.requests] == ["bytes=4000000-"]


def test_a_file_that_was_replaced_meanwhile_comes_whole(pulled: Pull):
    part().parent.mkdir(parents=True)
    part().write_bytes(b"x" * 500)
    part().with_name(part().name + ".etag").write_text('"stored-0"')
    with ModelHub({NAME: DATA}) as hub:
        assert pulled(hub).read_bytes() == DATA
    assert hub.requests[0][1]["If-Range"] == '"stored-0"'


def test_a_server_without_ranges_gives_the_whole_again(pulled: Pull):
    with ModelHub({NAME: DATA}, Trouble(cut_after=1_000_000), Trouble(ignores_range=True)) as hub:
        assert pulled(hub).read_bytes() == DATA


def test_a_part_that_is_longer_than_the_file_is_thrown_away(pulled: Pull):
    part().parent.mkdir(parents=True)
    part().write_bytes(DATA + b"more")
    with ModelHub({NAME: DATA}) as hub:
        assert pulled(hub).read_bytes() == DATA


def test_damage_is_found_and_not_kept(pulled: Pull):
    with ModelHub({NAME: DATA}, Trouble(damaged=True)) as hub, pytest.raises(Unavailable, match="arrived damaged"):
        pulled(hub)
    assert not part().exists()
    assert not store.on_disk(model())


def test_without_a_pinned_checksum_the_announced_one_counts(pulled: Pull):
    with ModelHub({NAME: DATA}, Trouble(damaged=True)) as hub, pytest.raises(Unavailable, match="arrived damaged"):
        pulled(hub, model(sha256=""))
    with ModelHub({NAME: DATA}) as hub:
        assert pulled(hub, model(sha256="")).is_file()


def test_a_hub_that_has_another_file_is_found_out_before_anything_is_fetched(pulled: Pull):
    with (
        ModelHub({NAME: DATA}, announced="0" * 64) as hub,
        pytest.raises(Unreachable, match=f"catalogue names sha256 {SHA256}, the server 0000"),
    ):
        pulled(hub)
    assert hub.requests == []


def test_a_file_of_another_size_is_refused(pulled: Pull):
    with ModelHub({NAME: DATA[:-7]}) as hub, pytest.raises(Unreachable, match=r"has 5119993 bytes at 127\.0\.0\.1"):
        pulled(hub, model(sha256=""))


def test_a_file_that_is_not_there_is_said_with_its_status(pulled: Pull):
    with ModelHub({}) as hub, pytest.raises(Unreachable, match=r"does not give tiny\.gguf \(HTTP 404 Not Found\)"):
        pulled(hub)


def test_a_busy_server_is_asked_again_when_it_says(pulled: Pull, monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with ModelHub({NAME: DATA}, Trouble(status=429, retry_after="7"), Trouble(status=503)) as hub:
        assert pulled(hub).read_bytes() == DATA
    assert slept == [7.0, 0.01]
    assert "waiting" in [each.stage for each in pulled.progress]


def test_a_server_that_wants_to_be_left_alone_is(pulled: Pull):
    with (
        ModelHub({NAME: DATA}, Trouble(status=429, retry_after="3600")) as hub,
        pytest.raises(Unreachable, match="refuses more downloads for 3600 s"),
    ):
        pulled(hub)


def test_a_server_that_never_recovers_is_given_up(pulled: Pull):
    with ModelHub({NAME: DATA}, *[Trouble(status=500)] * 9) as hub, pytest.raises(Unreachable, match="HTTP 500"):
        pulled(hub)
    assert len(hub.requests) == 3


def test_without_a_network_it_says_at_once_what_to_do_by_hand(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9 cannot be reached"):
        pull(model(), lambda _: None)
    told = dict(by_hand(model()))
    assert told["fetch"] == "http://127.0.0.1:9/owner/repo/resolve/abc123/tiny.gguf"
    assert told["put it at"] == str(store.path_of(model()))
    assert told["it says"] == SHA256


@pytest.mark.parametrize("address", ["mirror.example", "http://[", "ftp://mirror.example"])
def test_an_address_that_is_none_is_said_so(address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(Unreachable, match=r"cannot be reached|leads to no address"):
        pull(model(), lambda _: None)


def test_a_full_disk_is_noticed_before_anything_is_fetched(pulled: Pull, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Mock(free=1_000_000))
    with (
        ModelHub({NAME: DATA}) as hub,
        pytest.raises(Unavailable, match=r"0\.0 GB free\. Make room, or set VOICEBOT_M"),
    ):
        pulled(hub)
    assert part().exists() is False


def test_only_one_process_pulls_a_model_at_a_time(pulled: Pull):
    path = store.path_of(model())
    path.parent.mkdir(parents=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    with ModelHub({NAME: DATA}) as hub, lock, pytest.raises(Unavailable, match="another voicebot is pulling tiny"):
        pulled(hub)
    with ModelHub({NAME: DATA}) as hub:
        assert pulled(hub).is_file()


def interrupted(at: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.done >= at:
            raise KeyboardInterrupt

    return report


def test_ctrl_c_keeps_what_has_arrived_and_the_next_pull_goes_on(pulled: Pull, monkeypatch: pytest.MonkeyPatch):
    with ModelHub({NAME: DATA}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(KeyboardInterrupt):
            pull(model(), interrupted(2_000_000))
        kept = part().stat().st_size
        assert kept >= 2_000_000
        assert store.here(model()) == kept
        assert pulled(hub).read_bytes() == DATA
    assert hub.requests[1][1]["Range"] == f"bytes={kept}-"
