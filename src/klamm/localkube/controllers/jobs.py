"""Job → pods that run to their end (Kubernetes docs, "Jobs").

- `completions` pods must succeed, `parallelism` run at a time; without completions one success ends the job.
- More failures than backoffLimit, or more seconds than activeDeadlineSeconds, fail it; a new try after a failure waits
  10 s, 20 s, 40 s, at most 6 min. Container restarts (restartPolicy OnFailure) count as failures.
- Indexed jobs give each pod an index, in an annotation, a label and JOB_COMPLETION_INDEX.
- A suspended job has no pods. A finished one is deleted ttlSecondsAfterFinished later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Informers, Key
from klamm.localkube.controllers.ownership import (
    OwnedPods,
    is_active,
    is_deleting,
    is_ready,
    pod_from_template,
    watch_with_owned,
)
from klamm.localkube.controllers.statuses import condition, write_status
from klamm.localkube.controllers.templates import with_label
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import JOBS, PODS, Object
from klamm.localkube.times import parse_timestamp, timestamp

INDEX: Final = "batch.kubernetes.io/job-completion-index"
FIRST_WAIT: Final = 10.0
LONGEST_WAIT: Final = 360.0
ENDS: Final = {"Complete": ("SuccessCriteriaMet", "Complete"), "Failed": ("FailureTarget", "Failed")}


@dataclass(frozen=True, slots=True)
class Tally:
    active: Sequence[Object]
    succeeded: Sequence[Object]
    failed: Sequence[Object]

    @property
    def failures(self) -> int:
        return len(self.failed) + sum(map(_restarts, self.active))


class Jobs:
    name = "jobs"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        self._events = Events(informers.objects, clock, "job-controller")
        self._owned = OwnedPods(informers, self._events, JOBS)
        self._jobs = informers.cache(JOBS)
        self._pods = informers.cache(PODS)

    def watch(self, queue: WorkQueue[Key]) -> None:
        watch_with_owned(self._informers, queue, JOBS, PODS, adopts=False)

    async def reconcile(self, key: Key) -> float | None:
        job = self._jobs.get(*key)
        if job is None or is_deleting(job):
            return None
        if finished_at(job) is not None:
            return self._clean_up(job)
        pods = tally(self._pods.owned_by(job["metadata"]["uid"]))
        ending = verdict(job, pods, self._clock.now())
        again_after = None
        if ending is None:
            again_after = self._run(job, pods)
        else:
            self._stop(pods.active)
        self._write_status(job, tally(self._pods.owned_by(job["metadata"]["uid"])), ending)
        return again_after

    def _run(self, job: Object, pods: Tally) -> float | None:
        spec = job["spec"]
        if spec.get("suspend"):
            self._stop(pods.active)
            return None
        room = wanted_active(job, pods) - len(pods.active)
        if room <= 0:
            self._stop(pods.active[len(pods.active) + room :])
            return self._until_deadline(job)
        wait = seconds_to_wait(pods, self._clock.now())
        if wait > 0:
            return wait
        for index in _free_indexes(job, pods, room):
            self._owned.create(job, pod_for(job, index))
        return self._until_deadline(job)

    def _until_deadline(self, job: Object) -> float | None:
        seconds = job["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return None
        start = parse_timestamp((job.get("status") or {}).get("startTime")) or self._clock.now()
        return max(0.1, (start + timedelta(seconds=seconds) - self._clock.now()).total_seconds())

    def _stop(self, pods: Sequence[Object]) -> None:
        for pod in pods:
            self._informers.delete(PODS, pod)

    def _clean_up(self, job: Object) -> float | None:
        self._stop(tally(self._pods.owned_by(job["metadata"]["uid"])).active)
        ttl, ended = job["spec"].get("ttlSecondsAfterFinished"), finished_at(job)
        if ttl is None or ended is None:
            return None
        left = (ended + timedelta(seconds=ttl) - self._clock.now()).total_seconds()
        if left > 0:
            return left
        self._informers.delete(JOBS, job, propagation="Background")
        return None

    def _write_status(self, job: Object, pods: Tally, ending: tuple[str, str, str] | None) -> None:
        known, now = job.get("status") or {}, timestamp(self._clock.now())
        status: dict[str, Any] = {
            "active": len(pods.active),
            "ready": sum(map(is_ready, pods.active)),
            "succeeded": len(pods.succeeded),
            "failed": len(pods.failed),
            "terminating": 0,
            "uncountedTerminatedPods": {},
        }
        if not known.get("startTime") and not job["spec"].get("suspend"):
            status["startTime"] = now
        if ending is not None:
            kind, reason, message = ending
            # The end is told twice: as decided, and (no pod runs any more) as reached.
            told = {"status": "True", "reason": reason, "message": message}
            reached = [{"type": each, **told, "lastProbeTime": now, "lastTransitionTime": now} for each in ENDS[kind]]
            status["conditions"] = [*(known.get("conditions") or ()), *reached]
            if kind == "Complete":
                status["completionTime"] = now
            report = self._events.normal if kind == "Complete" else self._events.warning
            report(
                JOBS,
                job,
                "Completed" if kind == "Complete" else reason,
                "Job completed" if kind == "Complete" else message,
            )
        write_status(self._informers, JOBS, job, status)


def tally(pods: Sequence[Object]) -> Tally:
    phases = [(p.get("status", {}).get("phase"), p) for p in pods]
    return Tally(
        [p for p in pods if is_active(p)],
        [p for phase, p in phases if phase == "Succeeded"],
        [p for phase, p in phases if phase == "Failed"],
    )


def verdict(job: Object, pods: Tally, now: datetime) -> tuple[str, str, str] | None:
    """(condition, reason, message) when the job is at its end."""
    spec = job["spec"]
    completions = spec.get("completions")
    if len(pods.succeeded) >= (completions or 1) and (completions is not None or not pods.active):
        return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
    if completions == 0:
        return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
    if pods.failures > spec.get("backoffLimit", 6):
        return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    start = parse_timestamp((job.get("status") or {}).get("startTime"))
    deadline = spec.get("activeDeadlineSeconds")
    if start and deadline is not None and (now - start).total_seconds() >= deadline:
        return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def wanted_active(job: Object, pods: Tally) -> int:
    parallelism = int(job["spec"].get("parallelism", 1))
    completions = job["spec"].get("completions")
    if completions is None:
        return len(pods.active) if pods.succeeded else parallelism
    return min(parallelism, int(completions) - len(pods.succeeded))


def seconds_to_wait(pods: Tally, now: datetime) -> float:
    """Until the next try after the newest failure."""
    if not pods.failed:
        return 0.0
    ended = [t for p in pods.failed if (t := _ended_at(p)) is not None]
    if not ended:
        return 0.0
    wait = min(FIRST_WAIT * 2 ** min(len(pods.failed) - 1, 10), LONGEST_WAIT)
    return max(0.0, (max(ended) + timedelta(seconds=wait) - now).total_seconds())


def pod_for(job: Object, index: int | None) -> Object:
    metadata, template = job["metadata"], job["spec"]["template"]
    for name, value in (("controller-uid", metadata["uid"]), ("job-name", metadata["name"])):
        template = with_label(template, name, value)
        template = with_label(template, f"batch.kubernetes.io/{name}", value)
    if index is not None:
        template = with_label(template, INDEX, str(index))
    pod = pod_from_template(JOBS, job, template)
    if index is not None:
        pod["metadata"]["annotations"] = {**(pod["metadata"].get("annotations") or {}), INDEX: str(index)}
        pod["metadata"]["generateName"] = f"{metadata['name']}-{index}-"
        pod["spec"] = {**pod["spec"], "hostname": f"{metadata['name']}-{index}"}
        entry = {"name": "JOB_COMPLETION_INDEX", "value": str(index)}
        for kind in ("initContainers", "containers"):
            if containers := pod["spec"].get(kind):
                pod["spec"][kind] = [{**c, "env": [*(c.get("env") or ()), entry]} for c in containers]
    return pod


def finished_at(job: Object) -> datetime | None:
    for kind in ("Complete", "Failed"):
        found = condition(job, kind)
        if found is not None and found["status"] == "True":
            return parse_timestamp(found["lastTransitionTime"])
    return None


def _free_indexes(job: Object, pods: Tally, room: int) -> Sequence[int | None]:
    if job["spec"].get("completionMode") != "Indexed":
        return [None] * room
    taken = {(p["metadata"].get("annotations") or {}).get(INDEX) for p in [*pods.active, *pods.succeeded]}
    return [n for n in range(job["spec"]["completions"]) if str(n) not in taken][:room]


def _restarts(pod: Object) -> int:
    return sum(c.get("restartCount", 0) for c in pod.get("status", {}).get("containerStatuses") or ())


def _ended_at(pod: Object) -> datetime | None:
    states = [c.get("state", {}).get("terminated") or {} for c in pod.get("status", {}).get("containerStatuses") or ()]
    ended = [t for s in states if (t := parse_timestamp(s.get("finishedAt"))) is not None]
    return max(ended, default=None)
