"""Every error that a command can meet, as the sentence that its user gets and the exit code that scripts get.

Rooms below say what was being done to what; here it is sorted by what the user does next. An error that is not
listed is a fault of klamm and keeps its stack. Rooms are imported only when one of their errors has come up: by then
they have been imported already.
"""

import errno
import sys
from collections.abc import Callable

from klamm.cli.errors import Complaint, Impossible, Mistake, NotFound, NotRunning, Unfinished
from klamm.cli.home import Home


def complaint_of(error: BaseException, home: Home) -> Complaint | None:
    """None for what nobody expected: our fault."""
    if isinstance(error, BaseExceptionGroup):
        found = (complaint_of(each, home) for each in error.exceptions)
        return next((one for one in found if one is not None), None)
    if isinstance(error, Complaint):
        return error
    for translate in (_of_api, _of_distribution, _of_system):
        complaint = translate(error, home)
        if complaint is not None:
            return complaint
    return None


def _of_api(error: BaseException, home: Home) -> Complaint | None:
    if "klamm.kube.errors" not in sys.modules:
        return None
    from klamm.kube import errors

    if not isinstance(error, errors.KubeError):
        return None
    match error:
        case errors.Unreachable() if not error.sent and "refused" in error.message.lower():
            return NotRunning(f"the cluster of {home.path} is down: `klamm up` starts it ({error.doing})")
        case errors.Unreachable():
            return NotRunning(
                f"{error.doing}: the API of {home.path} does not answer ({error.message}). `klamm status` shows what "
                f"runs, `klamm up` starts it; its log is {home.logs / 'control-plane.log'}"
            )
        case errors.Unauthorized():
            return Mistake(
                f"{error}. The kubeconfig {home.kubeconfig} does not fit this cluster: remove it and run `klamm up`, "
                "which writes it anew"
            )
        case errors.Invalid():
            return Mistake(f"{error.doing}: {refusal(error)}")
        case errors.NotFound():
            return NotFound(str(error))
        case errors.Forbidden() | errors.Refused() | errors.Conflict() | errors.Gone():
            return Mistake(str(error))
        case _:
            return Unfinished(f"{error}. Try again; the API's log is {home.logs / 'control-plane.log'}")


def refusal(error: "Exception") -> str:
    """What the API refused, a broken rule a line."""
    causes = getattr(error, "causes", ())
    message = str(getattr(error, "message", error))
    if len(causes) < 2:
        return message
    return "\n".join(["the API refuses it:", *(f"  {cause.field}: {cause.message}" for cause in causes)])


def _of_distribution(error: BaseException, home: Home) -> Complaint | None:
    """By name: importing these modules to compare classes would cost more than most commands do."""
    room = type(error).__module__
    if not room.startswith("klamm.distribution.") and not room.startswith("klamm.localkube.node."):
        return None
    known: dict[str, Callable[[str], Complaint]] = {
        "DownloadFailed": Impossible,
        "JavaDoesNotFit": Impossible,
        "StoreUnusable": Impossible,
        "ArchiveFailed": Impossible,
        "StoreBusy": Unfinished,
        "UnknownRelease": Mistake,
        "GuardianError": Unfinished,
    }
    made = known.get(type(error).__name__)
    return made(str(error)) if made else None


def _of_system(error: BaseException, home: Home) -> Complaint | None:
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = error.filename or home.path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Impossible(
            f"writing {place}: the disk is full ({error.strerror}). Nothing that was there is lost; make room there "
            "(`klamm doctor` shows how much klamm needs), then run the command again"
        )
    if error.errno == errno.EROFS:
        return Impossible(f"writing {place}: the file system is read-only. Point KLAMM_HOME and KLAMM_CACHE elsewhere")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Impossible(
            f"{place}: {error.strerror}. It belongs to somebody else; give it to yourself, or point KLAMM_HOME "
            "(and KLAMM_CACHE) at folders of your own"
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Impossible(f"{error.strerror}: raise the limit of open files (`ulimit -n 8192`)")
    # A file that this machine does not give us for whatever reason is no fault of klamm; anything else may be.
    return Impossible(f"{error.filename}: {error.strerror}") if error.filename else None
