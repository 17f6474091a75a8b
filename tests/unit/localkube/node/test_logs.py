"""Container output in log files."""

from pathlib import Path

import pytest

from klamm.localkube.node.logs import LONGEST_PART, LogFile, LogStream, rfc3339_nanoseconds

NOW = 1_700_000_000_000_000_042
STAMP = "2023-11-14T22:13:20.000000042Z"


def _written(folder: Path, *pieces: bytes) -> list[str]:
    log = LogFile(str(folder / "pods" / "0.log"), lambda: NOW)
    stream = LogStream(log, "stdout")
    for piece in pieces:
        stream.feed(piece)
    stream.end()
    log.close()
    return (folder / "pods" / "0.log").read_text().splitlines()


def test_a_moment_is_written_to_the_nanosecond() -> None:
    assert rfc3339_nanoseconds(NOW) == STAMP


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"one\ntwo\n"], ["F one", "F two"]),
        ([b"o", b"ne\nt", b"wo\n"], ["F one", "F two"]),
        ([b"\n\n"], ["F ", "F "]),
        ([b"no newline"], ["F no newline"]),
        ([b"a" * LONGEST_PART + b"b\n"], [f"P {'a' * LONGEST_PART}", "F b"]),
        ([b"a" * LONGEST_PART, b"b" * 5, b"\n"], [f"P {'a' * LONGEST_PART}", "F bbbbb"]),
        ([b"a" * LONGEST_PART + b"\n"], [f"F {'a' * LONGEST_PART}"]),
        ([], []),
    ],
)
def test_bytes_become_tagged_lines(tmp_path: Path, pieces: list[bytes], lines: list[str]) -> None:
    assert _written(tmp_path, *pieces) == [f"{STAMP} stdout {line}" for line in lines]


def test_a_full_file_is_set_aside_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "0.log"), lambda: NOW, rotate_at=100)
    stream = LogStream(log, "stderr")
    for number in range(9):
        stream.feed(b"%d" % number * 20 + b"\n")
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.log", "0.log.1", "0.log.2"]
    assert "8" * 20 in (tmp_path / "0.log").read_text()


def test_a_log_that_cannot_be_written_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    log = LogFile("/dev/full", lambda: NOW)
    LogStream(log, "stdout").feed(b"lost\n")
    log.close()
