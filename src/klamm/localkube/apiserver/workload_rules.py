"""What an object that holds a pod template may say, and what of it may change."""

from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver.pod_rules import pod_spec
from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required, unsupported
from klamm.localkube.apiserver.value_rules import (
    IMMUTABLE,
    label_selector_violations,
    not_negative,
    number_or_percent,
    one_of,
)
from klamm.localkube.objects import Object
from klamm.localkube.selectors import label_selector

_MISMATCH = "`selector` does not match template `labels`"


def deployment(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from workload(obj)
    yield from _strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from not_negative(spec, ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"), "spec")


def workload(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from not_negative(spec, ("replicas",), "spec")
    template = spec.get("template") or {}
    yield from _selector(spec.get("selector"), template, obj["kind"].lower())
    yield from pod_spec(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in (None, "Always"):
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])


def _selector(selector: dict[str, Any] | None, template: dict[str, Any], kind: str) -> Iterator[Cause]:
    labels = (template.get("metadata") or {}).get("labels")
    if selector is None:
        yield required("spec.selector")
        yield invalid_value("spec.template.metadata.labels", labels, _MISMATCH)
        return
    wrong = list(label_selector_violations(selector, "spec.selector"))
    yield from wrong
    if not selector:
        yield invalid_value("spec.selector", {}, f"empty selector is invalid for {kind}")
    elif wrong:
        yield invalid_value("spec.selector", selector, "invalid label selector")
    elif not label_selector(selector)(labels or {}):
        yield invalid_value("spec.template.metadata.labels", labels, _MISMATCH)


def _strategy(strategy: dict[str, Any], at: str) -> Iterator[Cause]:
    sort, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if sort == "Recreate":
        if rolling is not None:
            yield forbidden_value(f"{at}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
        return
    if sort != "RollingUpdate":
        yield unsupported(at, {"Type": sort, "RollingUpdate": rolling}, ["Recreate", "RollingUpdate"])
        return
    least, most = (rolling or {}).get("maxUnavailable"), (rolling or {}).get("maxSurge")
    yield from number_or_percent(least, f"{at}.rollingUpdate.maxUnavailable")
    yield from number_or_percent(most, f"{at}.rollingUpdate.maxSurge")
    if least in (0, "0%") and most in (0, "0%"):
        yield invalid_value(f"{at}.rollingUpdate.maxUnavailable", least, "may not be 0 when `maxSurge` is 0")


def stateful_set(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    policy, strategy = spec.get("podManagementPolicy"), spec.get("updateStrategy") or {}
    if policy not in ("OrderedReady", "Parallel"):
        yield invalid_value("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        shown = {"Type": strategy.get("type"), "RollingUpdate": strategy.get("rollingUpdate")}
        yield invalid_value("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'")
    yield from workload(obj)


def job(obj: Object) -> Iterator[Cause]:
    yield from _job_spec(obj.get("spec") or {}, "spec")


def _job_spec(spec: dict[str, Any], at: str) -> Iterator[Cause]:
    names = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    yield from not_negative(spec, names, at)
    template = (spec.get("template") or {}).get("spec") or {}
    yield from pod_spec(template, f"{at}.template.spec")
    if template.get("restartPolicy", "Always") == "Always":
        yield required(f"{at}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def job_change(new: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"], new["spec"]
    if after.get("completions") != before.get("completions") and after.get("completionMode") != "Indexed":
        yield invalid_value("spec.completions", after.get("completions"), IMMUTABLE)
    for name in ("selector", "template"):
        if after.get(name) != before.get(name) and not (name == "template" and before.get("suspend")):
            yield invalid_value(f"spec.{name}", after.get(name), IMMUTABLE)


def cron_job(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    schedule = str(spec.get("schedule", ""))
    fields = schedule.split()
    if not schedule:
        yield required("spec.schedule")
    elif not schedule.startswith("@") and len(fields) != 5:
        told = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
        yield invalid_value("spec.schedule", schedule, told)
    yield from one_of(spec, "concurrencyPolicy", ("Allow", "Forbid", "Replace"), "spec")
    yield from _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def selector_change(new: Object, old: Object) -> Iterator[Cause]:
    if new["spec"].get("selector") != old["spec"].get("selector"):
        yield invalid_value("spec.selector", new["spec"].get("selector"), IMMUTABLE)


def stateful_set_change(new: Object, old: Object) -> Iterator[Cause]:
    free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ]
    fixed = [{name: value for name, value in each["spec"].items() if name not in free} for each in (new, old)]
    if fixed[0] != fixed[1]:
        names = ", ".join(f"'{name}'" for name in free[:-1])
        yield forbidden_value(
            "spec", f"updates to statefulset spec for fields other than {names} and '{free[-1]}' are forbidden"
        )
