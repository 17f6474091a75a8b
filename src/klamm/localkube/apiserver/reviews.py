"""Kinds that are questions: tokens of accounts, who somebody is, what somebody may.

They are answered and never stored; still the answer tells who wrote which field, as that of any other object.
"""

from datetime import datetime
from typing import Any

from klamm.localkube.apiserver import ownership, statuses
from klamm.localkube.apiserver.authentication import ISSUER, Authenticator, Bound, Identity, Tokens
from klamm.localkube.apiserver.kinds import Kind, type_named
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.objects import PODS, SERVICE_ACCOUNTS, Object, Resource
from klamm.localkube.times import rfc3339, timestamp

_LONGEST_TOKEN = 2**32
_SHORTEST_TOKEN = 600
TOKEN_REQUEST = "io.k8s.api.authentication.v1.TokenRequest"
_AUTHENTICATION = "authentication.k8s.io/v1"


def _managed(asked: Object, node: Node, manager: str, now: str, subresource: str = "") -> list[Object]:
    """managedFields of a question as it was asked, with its defaults."""
    writer = ownership.Writer(manager, "Update", asked["apiVersion"], subresource)
    owned = ownership.after_update(None, {**asked, "metadata": {}}, node, writer, now)
    return list(owned["metadata"].get("managedFields", ()))


# Tokens


def token_request(
    registry: Registry, tokens: Tokens, namespace: str, name: str, request: Object, manager: str
) -> Object:
    given = request.get("metadata") or {}
    if given.get("namespace") not in (None, "", namespace):
        told = "the namespace of the provided object does not match the namespace sent on the request"
        raise statuses.bad_request(told)
    kind = registry.kind_of(SERVICE_ACCOUNTS)
    account = registry.view(kind, registry.stored(kind, namespace, name))
    if given.get("name") not in (None, "", name):
        told = "must match the service account name if specified"
        cause = statuses.invalid_value("metadata.name", given["name"], told)
        raise statuses.invalid("authentication.k8s.io", "TokenRequest", name, [cause])
    spec = {**(request.get("spec") or {})}
    spec["expirationSeconds"] = seconds = int(spec.get("expirationSeconds") or 3600)
    _check_duration(seconds)
    bound = _bound(registry, namespace, account, spec.get("boundObjectRef") or {})
    asked = {"apiVersion": _AUTHENTICATION, "kind": "TokenRequest", "spec": dict(spec)}
    token, ends = tokens.issue(bound, spec.get("audiences") or (), seconds)
    now = timestamp(registry.clock.now())
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": account["metadata"]["uid"],
        "creationTimestamp": now,
        "managedFields": _managed(asked, type_named(TOKEN_REQUEST), manager, now, "token"),
    }
    audiences = spec.get("audiences") or [ISSUER]
    return {
        **asked,
        "metadata": metadata,
        "spec": {"boundObjectRef": None, **spec, "audiences": audiences},
        "status": {"token": token, "expirationTimestamp": rfc3339(ends)},
    }


def _check_duration(seconds: int) -> None:
    told = ""
    if seconds < _SHORTEST_TOKEN:
        told = "may not specify a duration less than 10 minutes"
    elif seconds > _LONGEST_TOKEN:
        told = "may not specify a duration larger than 2^32 seconds"
    if told:
        cause = statuses.invalid_value("spec.expirationSeconds", seconds, told)
        raise statuses.invalid("authentication.k8s.io", "TokenRequest", "", [cause])


def _bound(registry: Registry, namespace: str, account: Object, reference: Object) -> Bound:
    metadata = account["metadata"]
    if not reference:
        return Bound(namespace, metadata["name"], metadata["uid"])
    if (reference.get("kind"), reference.get("apiVersion", "v1")) != ("Pod", "v1"):
        what = f"/{reference.get('apiVersion', '')}, Kind={reference.get('kind', '')}"
        raise statuses.bad_request(f"cannot bind token to object of type {what}")
    kind = registry.kind_of(PODS)
    pod = registry.view(kind, registry.stored(kind, namespace, reference.get("name", "")))
    own = pod["metadata"]
    if reference.get("uid") and reference["uid"] != own["uid"]:
        told = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record"
        why = f"{told}. The object might have been deleted and then recreated"
        raise statuses.conflict(Resource("", "v1", "Pod", "Pod"), own["name"], why)
    if pod["spec"].get("serviceAccountName") != metadata["name"]:
        who = f'serviceaccount "{metadata["name"]}"'
        raise statuses.bad_request(f"cannot bind token for {who} to pod running with different serviceaccount name.")
    return Bound(namespace, metadata["name"], metadata["uid"], own["name"], own["uid"])


# Reviews


def review(
    kind: Kind, body: Object, caller: Identity, authenticator: Authenticator, manager: str, now: datetime
) -> Object:
    """Access reviews say yes (roles are stored, not enforced); token and self reviews tell who somebody is."""
    answer: Object = {"kind": kind.resource.kind, "apiVersion": kind.resource.api_version, "metadata": {}}
    if kind.resource.kind == "SelfSubjectReview":
        metadata = {"creationTimestamp": timestamp(now)}
        return {**answer, "metadata": metadata, "status": {"userInfo": user_info(caller)}}
    answer["spec"] = spec = body.get("spec") or {}
    managed = _managed(answer, kind.node, manager, timestamp(now))
    if managed:
        answer["metadata"] = {"managedFields": managed}
    if kind.resource.kind == "TokenReview":
        return {**answer, "status": _token_status(spec, authenticator)}
    if kind.resource.kind == "SelfSubjectRulesReview":
        rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        paths = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return {**answer, "status": {"resourceRules": rules, "nonResourceRules": paths, "incomplete": False}}
    _check_attributes(spec)
    groups = caller.groups if kind.resource.kind == "SelfSubjectAccessReview" else spec.get("groups") or ()
    if "system:masters" in groups:
        return {**answer, "status": {"allowed": True}}
    return {**answer, "status": {"allowed": True, "reason": "localkube stores roles and does not enforce them"}}


def _token_status(spec: Object, authenticator: Authenticator) -> Object:
    if not spec.get("token"):
        raise statuses.bad_request("token is required for TokenReview in authentication")
    found = authenticator.review(str(spec["token"]), spec.get("audiences") or ())
    if found.identity is None:
        return {"user": {}, "error": found.why}
    return {"authenticated": True, "user": user_info(found.identity), "audiences": list(found.audiences)}


def _check_attributes(spec: Object) -> None:
    given = [spec.get(name) for name in ("resourceAttributes", "nonResourceAttributes")]
    if sum(each is not None for each in given) == 1:
        return
    told = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    cause = statuses.invalid_value("spec.resourceAttributes", given[0], told)
    raise statuses.invalid("authorization.k8s.io", "", "", [cause])


def user_info(identity: Identity) -> Object:
    info: dict[str, Any] = {"username": identity.user, "groups": list(identity.groups)}
    if identity.uid:
        info["uid"] = identity.uid
    if identity.extra:
        info["extra"] = {name: list(values) for name, values in identity.extra.items()}
    return info
