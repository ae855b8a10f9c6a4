"""Is an exchange on disk when `record` says so, and is the caller never held up?"""

import asyncio
import errno
import fcntl
import os
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from router.contracts import Decision, Exchange, Hints
from router.errors import DataDirNotWritable
from router.segments import SegmentWriter
from router.spool import DEGRADED_SECONDS, SpoolWriter
from router.wire import exchange_from_json


def exchange(number, completion=""):
    return Exchange(
        request_id=f"{number:05d}",
        started_at=datetime.now(UTC),
        policy_version=0,
        dialect="openai.chat",
        hints=Hints(),
        query_type="unknown",
        query_type_source="none",
        requested_model="auto",
        decision=Decision(scores={"fast": 1.0}, predicted="fast", chosen="fast", confidence=1.0, reason=None),
        served_tier="fast",
        served_model="m",
        reason=None,
        status="answered",
        http_status=200,
        error_kind=None,
        streamed=False,
        latency_seconds=0.1,
        first_token_seconds=None,
        finish_reason="stop",
        prompt_tokens=1,
        completion_tokens=1,
        cost_usd=Decimal(1),
        completion=completion,
    )


def lines(directory):
    """All lines of all segments, in the order of the protocol."""
    return [
        exchange_from_json(line).request_id
        for path in sorted(directory.glob("*.jsonl"), key=lambda path: path.name)
        for line in path.read_bytes().splitlines()
    ]


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def is_locked(path):
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def test_what_is_recorded_is_on_disk_at_once_under_a_lock(tmp_path, clock):
    spool = SpoolWriter(tmp_path / "spool", clock=clock)
    assert await spool.record(exchange(1))
    assert lines(tmp_path / "spool") == ["00001"]
    [path] = (tmp_path / "spool").iterdir()
    assert path.name.endswith("-00000000.open.jsonl")
    assert is_locked(path)
    await spool.close()
    [path] = (tmp_path / "spool").iterdir()
    assert path.name.endswith("-00000000.jsonl")
    assert not path.name.endswith(".open.jsonl")
    assert not is_locked(path)


async def test_segments_are_finished_by_size_and_keep_their_order(tmp_path, clock):
    spool = SpoolWriter(tmp_path, clock=clock, max_segment_bytes=4000)
    for number in range(40):
        assert await spool.record(exchange(number))
    await spool.close()
    assert len(list(tmp_path.iterdir())) > 5
    assert lines(tmp_path) == [f"{number:05d}" for number in range(40)]


def test_segments_are_finished_by_age_but_only_when_they_hold_something(tmp_path, clock):
    segments = SegmentWriter(tmp_path, clock=clock, max_bytes=10**6, max_age_seconds=2, fsync=True)
    clock.now += 10
    segments.finish_if_due()
    assert list(tmp_path.iterdir()) == []
    segments.append(b"1\n")
    clock.now += 1.9
    segments.finish_if_due()
    assert [path.name[-11:] for path in tmp_path.iterdir()] == [".open.jsonl"]
    clock.now += 0.2
    segments.finish_if_due()
    assert [path.name[-15:] for path in tmp_path.iterdir()] == ["-00000000.jsonl"]


async def test_a_running_spool_finishes_old_segments_by_itself(tmp_path):
    spool = SpoolWriter(tmp_path, max_segment_age_seconds=0.01)
    await spool.start()
    await spool.record(exchange(1))
    async with asyncio.timeout(5):
        while list(tmp_path.glob("*.open.jsonl")):
            await asyncio.sleep(0.01)
    assert lines(tmp_path) == ["00001"]
    await spool.close()


async def test_two_spools_share_a_directory_without_meeting(tmp_path, clock):
    first, second = SpoolWriter(tmp_path, clock=clock), SpoolWriter(tmp_path, clock=clock)
    for number in range(10):
        await (first if number % 2 else second).record(exchange(number))
    await first.close()
    await second.close()
    assert sorted(lines(tmp_path)) == [f"{number:05d}" for number in range(10)]


class Disk:
    """`os.write` with troubles: fail after some bytes, block on a gate, or take long by the clock."""

    def __init__(self, clock=None):
        self.failing = False
        self.bytes_before_failing = 0
        self.slow_seconds = 0.0
        self.preempted = False
        self.gate = threading.Event()
        self.gate.set()
        self.clock = clock
        self.threads = []

    def __call__(self, descriptor, content):
        self.threads.append(threading.current_thread())
        self.gate.wait(20)
        if self.clock is not None and self.slow_seconds:
            self.clock.now += self.slow_seconds
            if not self.preempted:
                time.sleep(0.0001)  # as a disk does: it makes its caller wait
        if self.failing:
            if self.bytes_before_failing:
                part, self.bytes_before_failing = content[: self.bytes_before_failing], 0
                return os.write(descriptor, part)
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(descriptor, content)


@pytest.mark.parametrize("torn_bytes", [0, 50])
async def test_a_full_disk_costs_records_but_no_exception_and_leaves_no_torn_line(tmp_path, clock, torn_bytes):
    disk = Disk(clock)
    spool = SpoolWriter(tmp_path, clock=clock, write=disk)
    assert await spool.record(exchange(1))
    disk.failing, disk.bytes_before_failing = True, torn_bytes
    assert not await spool.record(exchange(2))
    assert spool.lost["write_failed"] == 1
    assert "No space left" in spool.degraded_reason()
    disk.failing = False
    clock.now += DEGRADED_SECONDS + 1
    assert spool.degraded_reason() is None
    assert await spool.record(exchange(3))
    await spool.close()
    assert lines(tmp_path) == ["00001", "00003"]


async def test_a_slow_write_sends_the_next_ones_through_the_thread_until_it_is_over(tmp_path, clock):
    disk = Disk(clock)
    spool = SpoolWriter(tmp_path, clock=clock, write=disk)
    disk.slow_seconds = 0.05
    assert await spool.record(exchange(1))
    assert spool.degraded_reason() == "a write took 50 ms"
    disk.slow_seconds = 0.0
    await spool.record(exchange(2))
    clock.now += DEGRADED_SECONDS + 1
    number = 3
    async with asyncio.timeout(5):
        while disk.threads[-1] is not threading.current_thread() or len(disk.threads) < 3:
            await spool.record(exchange(number))
            number += 1
    assert disk.threads[0] is threading.current_thread()
    assert disk.threads[1] is not threading.current_thread()
    assert spool.degraded_reason() is None
    await spool.close()
    assert lines(tmp_path) == [f"{number:05d}" for number in range(1, number)]


async def test_a_processor_that_is_busy_elsewhere_is_not_taken_for_a_slow_disk(tmp_path, clock):
    disk = Disk(clock)
    spool = SpoolWriter(tmp_path, clock=clock, write=disk)
    disk.slow_seconds, disk.preempted = 0.05, True
    assert await spool.record(exchange(1))
    assert spool.degraded_reason() is None
    await spool.close()


async def degraded_spool(directory, clock):
    """A spool whose first write was slow, and whose disk now hangs."""
    disk = Disk(clock)
    disk.slow_seconds = 0.05
    spool = SpoolWriter(directory, clock=clock, write=disk)
    await spool.record(exchange(0))
    disk.slow_seconds = 0.0
    disk.gate.clear()
    return spool, disk


async def test_a_hanging_disk_holds_nobody_up_and_what_was_queued_is_written_later(tmp_path, clock):
    spool, disk = await degraded_spool(tmp_path, clock)
    began = time.monotonic()
    confirmed = [await spool.record(exchange(number)) for number in range(1, 21)]
    assert time.monotonic() - began < 2  # 20 times 5 ms, on a busy machine
    assert not any(confirmed)
    assert spool.late == 20
    disk.gate.set()
    await spool.close()
    assert lines(tmp_path) == [f"{number:05d}" for number in range(21)]
    assert sum(spool.lost.values()) == 0


async def test_a_full_queue_is_counted(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("router.spool.QUEUE_LENGTH", 3)
    spool, disk = await degraded_spool(tmp_path, clock)
    await asyncio.gather(*(spool.record(exchange(number)) for number in range(1, 11)))
    lost = spool.lost["queue_full"]
    assert 6 <= lost <= 7  # three wait, and one may be with the thread
    disk.gate.set()
    await spool.close()
    assert len(lines(tmp_path)) == 11 - lost


def test_a_directory_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataDirNotWritable) as caught:
        SpoolWriter(tmp_path / "file" / "spool")
    assert "cannot be written" in str(caught.value)
    assert "\n" not in str(caught.value)
