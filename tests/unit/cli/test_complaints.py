"""Every foreseen error is a sentence with a mend and an exit code; the unforeseen keeps its stack."""

import errno
from pathlib import Path

import pytest

from klamm.cli.complaints import complaint_of
from klamm.cli.errors import Impossible, Mistake
from klamm.cli.home import Home
from klamm.distribution.artifacts import UnknownRelease
from klamm.distribution.download import DownloadFailed
from klamm.distribution.java import JavaDoesNotFit
from klamm.distribution.store import StoreBusy, StoreUnusable
from klamm.kube import errors
from klamm.localkube.node.client import GuardianError

HOME = Home(Path("/h"), Path("/c"))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Mistake("wrong"), 2, "wrong"),
        (errors.Unreachable("read Pod p", "connection refused", sent=False), 6, "`klamm up` starts it"),
        (errors.Unreachable("read Pod p", "cut", sent=True), 6, "control-plane.log"),
        (errors.Unauthorized("read Pod p", "no", 401, "Unauthorized"), 2, "remove it and run `klamm up`"),
        (errors.NotFound("read Pod p", "no", 404, "NotFound"), 5, "read Pod p"),
        (
            errors.Invalid("apply Kafka k", "replicas: must be 1 or more", 422, "Invalid"),
            2,
            "replicas: must be 1 or more",
        ),
        (errors.Conflict("replace Pod p", "changed", 409, "Conflict"), 2, "changed"),
        (errors.ServerFault("read Pod p", "sqlite", 500, "InternalError"), 4, "control-plane.log"),
        (DownloadFailed("no network"), 3, "no network"),
        (JavaDoesNotFit("Java 8"), 3, "Java 8"),
        (StoreUnusable("read-only"), 3, "read-only"),
        (StoreBusy("held"), 4, "held"),
        (UnknownRelease("9.9.9"), 2, "9.9.9"),
        (GuardianError("does not answer"), 4, "does not answer"),
        (OSError(errno.ENOSPC, "No space left on device", "/h/x"), 3, "/h/x: the disk is full"),
        (OSError(errno.EDQUOT, "Quota exceeded"), 3, "/h: the disk is full"),
        (OSError(errno.EROFS, "Read-only", "/h/x"), 3, "Point KLAMM_HOME"),
        (PermissionError(errno.EACCES, "Permission denied", "/h/x"), 3, "belongs to somebody else"),
        (OSError(errno.EMFILE, "Too many open files"), 3, "ulimit -n"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/proc/x"), 3, "/proc/x: No such file"),
        (ExceptionGroup("two", [ValueError(), Impossible("one")]), 3, "one"),
    ],
)
def test_an_error_is_told(error: Exception, code: int, said: str) -> None:
    complaint = complaint_of(error, HOME)
    assert complaint is not None
    assert complaint.exit_code == code
    assert said in str(complaint)


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), AssertionError(), OSError("no number")])
def test_our_own_faults_are_not_dressed_up(error: Exception) -> None:
    assert complaint_of(error, HOME) is None


def test_several_broken_rules_stand_in_lines_of_their_own() -> None:
    causes = (
        errors.Cause("spec.a", "FieldValueInvalid", "too small"),
        errors.Cause("spec.b", "FieldValueInvalid", "odd"),
    )
    complaint = complaint_of(errors.Invalid("apply Kafka k", "long", 422, "Invalid", causes), HOME)
    assert str(complaint) == "apply Kafka k: the API refuses it:\n  spec.a: too small\n  spec.b: odd"
