"""Content types: which of our forms a client accepts, and how a body is read."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from klamm.localkube.apiserver import patches, protobuf, shaping, statuses
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import Refused

Form = Literal["object", "table", "metadata"]


@dataclass(frozen=True, slots=True)
class Accepted:
    form: Form
    yaml: bool = False
    version: str = "meta.k8s.io/v1"


_FORMS: dict[str, Form] = {
    "Table": "table",
    "PartialObjectMetadata": "metadata",
    "PartialObjectMetadataList": "metadata",
}


_JSON_BODIES = frozenset(["application/json", "application/merge-patch+json", "application/strategic-merge-patch+json"])
_YAML_BODIES = frozenset(["application/yaml", "application/apply-patch+yaml", "application/apply-patch"])


def accepted(header: str | None) -> Accepted:
    """The first clause that we serve. Protobuf is passed over: every client that asks for it also takes JSON."""
    if not header:
        return Accepted("object")
    for clause in header.split(","):
        kind, *parameters = (part.strip() for part in clause.split(";"))
        values = dict(part.split("=", 1) for part in parameters if "=" in part)
        if kind not in ("application/json", "*/*", "application/*", "application/yaml"):
            continue
        wanted = values.get("as")
        if wanted is None:
            return Accepted("object", kind == "application/yaml")
        if wanted in _FORMS and values.get("g") == "meta.k8s.io" and values.get("v") in ("v1", "v1beta1"):
            return Accepted(_FORMS[wanted], version=f"meta.k8s.io/{values['v']}")
    raise Refused(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml",
    )


def media_type(header: str | None) -> str:
    return (header or "application/json").split(";")[0].strip().lower()


def read_object(body: bytes, content_type: str, options: WriteOptions | None = None) -> dict[str, Any]:
    """A JSON or YAML object. Fields that come twice are noted in `options` when it is to tell of them."""
    value = read_value(body, content_type)
    if not isinstance(value, dict):
        raise statuses.bad_request("the object provided is unrecognized: the body must be a JSON object")
    if options is not None and options.field_validation != "Ignore" and content_type in _JSON_BODIES:
        options.duplicates = shaping.duplicate_fields(body)
        options.order = shaping.fields_in_order(value) if options.duplicates else {}
    return value


def read_value(body: bytes, content_type: str) -> Any:
    if content_type in _YAML_BODIES:
        return _json_or_yaml(body)
    if content_type == "application/vnd.kubernetes.protobuf":
        return protobuf.decode(body)
    if content_type not in _JSON_BODIES and not content_type.endswith("+json"):
        raise Refused(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise statuses.bad_request(f"error decoding the body as JSON: {error}") from error


def _json_or_yaml(body: bytes) -> Any:
    """JSON is YAML, and read faster as what it is."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _yaml(body)


def _yaml(body: bytes) -> Any:
    import yaml

    from klamm.base import documents

    try:
        return documents.read(body)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise statuses.bad_request(f"error decoding YAML: {error}") from error


def read_patch(body: bytes, content_type: str, options: WriteOptions) -> patches.Patch:
    if content_type == "application/json-patch+json":
        return patches.Json(read_value(body, content_type))
    if content_type == "application/merge-patch+json":
        return patches.Merge(read_object(body, content_type, options))
    if content_type == "application/strategic-merge-patch+json":
        return patches.StrategicMerge(read_object(body, content_type, options))
    if content_type in ("application/apply-patch+yaml", "application/apply-patch"):
        return patches.Apply(read_object(body, content_type))
    raise Refused(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, "
        "application/strategic-merge-patch+json",
    )
