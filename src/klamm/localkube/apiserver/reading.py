"""GET: one object, lists with selectors and pages, in the form that the client accepts."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from klamm.localkube.apiserver import field_selectors, statuses, tables
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.negotiation import Accepted
from klamm.localkube.apiserver.queries import flag, number
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Stored
from klamm.localkube.apiserver.watching import Selection, shaped
from klamm.localkube.objects import LabelMatch, Object, Refused
from klamm.localkube.selectors import InvalidSelector, parse_selector


def selection_of(kind: Kind, namespace: str | None, query: Mapping[str, str]) -> Selection:
    return Selection(
        namespace,
        _labels(query.get("labelSelector", "")),
        field_selectors.parse_fields(query.get("fieldSelector", ""), kind),
    )


def check_list_options(query: Mapping[str, str]) -> None:
    """What of a list's or watch's options goes together (Kubernetes' "API concepts", resourceVersionMatch)."""
    causes = list(_wrong_options(query))
    if causes:
        raise statuses.invalid("meta.k8s.io", "ListOptions", "", causes)


def _wrong_options(query: Mapping[str, str]) -> Iterator[statuses.Cause]:
    watches, match = flag(query, "watch"), query.get("resourceVersionMatch", "")
    version, initial = query.get("resourceVersion", ""), query.get("sendInitialEvents")
    if initial is not None:
        field = "sendInitialEvents"
        if not watches:
            yield statuses.forbidden_value(field, "sendInitialEvents is forbidden for list")
        elif match != "NotOlderThan":
            told = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            yield statuses.forbidden_value("resourceVersionMatch", told)
            if match:
                yield statuses.unsupported("resourceVersionMatch", match, ["NotOlderThan"])
        return
    if not match:
        return
    if watches:
        told = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        yield statuses.forbidden_value("resourceVersionMatch", told)
    elif not version:
        told = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        yield statuses.forbidden_value("resourceVersionMatch", told)
    elif match not in ("Exact", "NotOlderThan"):
        yield statuses.unsupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""])
    elif match == "Exact" and version == "0":
        told = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        yield statuses.forbidden_value("resourceVersionMatch", told)


def _labels(text: str) -> LabelMatch | None:
    """None when everything matches, so that lists need not be decoded."""
    try:
        return parse_selector(text) if text.strip() else None
    except InvalidSelector as error:
        raise statuses.bad_request(str(error)) from error


@dataclass(frozen=True, slots=True)
class Page:
    stored: list[Stored]
    version: int
    token: str = ""
    remaining: int | None = None


def get_body(registry: Registry, kind: Kind, stored: Stored, form: Accepted, include: str, now: datetime) -> bytes:
    if form.form == "object":
        return registry.body(kind, stored)
    return msgspec.json.encode(shaped(kind, registry.view(kind, stored), form, include, now))


def list_page(registry: Registry, kind: Kind, selection: Selection, query: Mapping[str, str]) -> Page:
    """The objects that the query asks for. Pages of one list all show the state at the first page's version."""
    limit = max(0, number(query, "limit") or 0)
    if query.get("resourceVersion") == "0":
        limit = 0  # "whatever you have at hand": Kubernetes answers it from memory, whole
    version, after = _start(registry, kind, query)
    found = registry.storage.all_at(kind.storage_key, selection.namespace, version)
    if selection.labels is not None or selection.fields is not None:
        found = [stored for stored in found if selection.holds(registry, stored)]
    if after:
        found = [stored for stored in found if _position(stored) > after]
    if not limit or len(found) <= limit:
        return Page(found, version)
    page = found[:limit]
    token = _encode_token(version, _position(page[-1]))
    unselected = selection.labels is None and selection.fields is None
    return Page(page, version, token, len(found) - limit if unselected else None)


def _version(query: Mapping[str, str]) -> int:
    text = query.get("resourceVersion", "")
    try:
        return int(text or "0")
    except ValueError as error:
        told = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise statuses.bad_request(f"invalid resource version: {told}") from error


def check_version(query: Mapping[str, str]) -> None:
    _version(query)


def _position(stored: Stored) -> str:
    return f"{stored.namespace}/{stored.name}"


def _encode_token(version: int, position: str) -> str:
    token = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": version, "start": position})
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def _start(registry: Registry, kind: Kind, query: Mapping[str, str]) -> tuple[int, str]:
    """(version of the state to show, position after which to go on)."""
    storage = registry.storage
    token = query.get("continue", "")
    if token:
        if query.get("resourceVersion") not in (None, "", "0"):
            raise statuses.bad_request("specifying resource version is not allowed when using continue")
        try:
            decoded = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            version, after = int(decoded["rv"]), str(decoded["start"])
        except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
            raise statuses.bad_request("continue key is not valid: it was not made by this server") from error
        if version < storage.oldest(kind.storage_key) or version > storage.version:
            text = "The provided continue parameter is too old to display a consistent list result. Start a new list."
            raise Refused(410, "Expired", text)
        return version, after
    wanted = _version(query)
    if wanted > storage.version:
        raise too_large(wanted, storage.version)
    if query.get("resourceVersionMatch") == "Exact":
        return wanted, ""
    return storage.version, ""


def too_large(wanted: int, have: int) -> Refused:
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    text = f"Too large resource version: {wanted}, current: {have}"
    return Refused(504, "Timeout", f"Timeout: {text}", {"causes": causes, "retryAfterSeconds": 1})


def list_body(
    registry: Registry, kind: Kind, page: Page, form: Accepted, include: str, now: Callable[[], datetime]
) -> bytes:
    metadata: Object = {"resourceVersion": str(page.version)}
    if page.token:
        metadata["continue"] = page.token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    if form.form == "table":
        moment = now()
        rows = [tables.row(kind, registry.view(kind, stored), moment, include, form.version) for stored in page.stored]
        return msgspec.json.encode(tables.table(kind, rows, metadata, form.version))
    if form.form == "metadata":
        items = [tables.partial_metadata(registry.view(kind, stored), form.version) for stored in page.stored]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": form.version, "metadata": metadata}
        return msgspec.json.encode({**head, "items": items})
    return _plain_list(registry, kind, page, metadata)


def _plain_list(registry: Registry, kind: Kind, page: Page, metadata: Any) -> bytes:
    """The stored bytes, joined. Items of native lists do not repeat their kind."""
    resource = kind.resource
    if kind.custom:
        metadata = {**metadata, "continue": page.token}
    bodies = [registry.body(kind, stored) for stored in page.stored]
    if not kind.custom:
        said = b'{"apiVersion":"%b","kind":"%b",' % (resource.api_version.encode(), resource.kind.encode())
        cut = len(said)
        bodies = [b"{" + body[cut:] if body.startswith(said) else body for body in bodies]
    return b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[%b]}' % (
        kind.list_kind.encode(),
        resource.api_version.encode(),
        msgspec.json.encode(metadata),
        b",".join(bodies),
    )
