"""What an exception from a reconciler means for the loop.

faults.Transient    comes back by itself: back-off, one line
faults.Invalid      the user must change the resource: blocked until then, one line
anything else       our bug: logged with its stack; tried again with back-off, as the input may change
"""

from dataclasses import dataclass

from klamm.base import faults, logs
from klamm.control.results import Again, Blocked, Result

_log = logs.room("control")


@dataclass(frozen=True, slots=True)
class Fault:
    """A sorted exception: what to do next, and whether it is our bug."""

    error: Exception
    result: Result
    is_bug: bool


def sort(error: Exception) -> Fault:
    match error:
        case faults.Invalid():
            return Fault(error, Blocked(said(error)), is_bug=False)
        case faults.Transient():
            return Fault(error, Again(error.retry_after, said(error)), is_bug=False)
    return Fault(error, Again(None, f"of a bug in klamm: {type(error).__name__}: {said(error)}"), is_bug=True)


def said(error: BaseException) -> str:
    return str(error) or type(error).__name__


def log_bug(error: Exception, **where: object) -> None:
    _log.error("this is a bug in klamm, please report it", error, **where)
