"""The verbs on objects and collections: get, list, watch, create, update, patch, delete."""

import msgspec
from aiohttp import web

from klamm.localkube.apiserver import deletion, forms, negotiation, reading, reviews, statuses, subresources
from klamm.localkube.apiserver.answers import Api, bytes_response, json_response
from klamm.localkube.apiserver.authentication import Identity
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.negotiation import Accepted
from klamm.localkube.apiserver.queries import flag, number
from klamm.localkube.apiserver.routing import Target
from klamm.localkube.apiserver.watching import Watch, WatchRequest, shaped
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import Object, Refused

_RETURNS_OBJECT = frozenset(
    [
        "CSIDriver",
        "CSINode",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PodTemplate",
        "ResourceQuota",
        "Service",
        "ServiceAccount",
        "StorageClass",
        "VolumeAttachment",
    ]
)
_LONGEST_MANAGER = 128
_OPTIONS = {"POST": "Create", "PUT": "Update", "PATCH": "Patch"}
_REVIEWS = frozenset(["authentication.k8s.io", "authorization.k8s.io"])
_WATCH_SECONDS = 1800.0


def _allow(kind: Kind, verb: str) -> None:
    if verb not in kind.verbs:
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _include(request: web.Request) -> str:
    include = request.query.get("includeObject", "") or "Metadata"
    if include not in ("Metadata", "Object", "None"):
        cause = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise statuses.bad_request(f"Unable to convert to Table as requested: includeObject: {cause}")
    return include


def get_object(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    _allow(kind, "get")
    form = negotiation.accepted(request.headers.get("Accept"))
    reading.check_version(request.query)
    stored = api.registry.stored(kind, target.namespace, target.name)
    body = reading.get_body(api.registry, kind, stored, form, _include(request), api.now())
    return _formed(body, form)


def _formed(body: bytes, form: Accepted, status: int = 200) -> web.Response:
    if not form.yaml:
        return bytes_response(body, status)
    import yaml

    text = yaml.safe_dump(msgspec.json.decode(body), sort_keys=False).encode()
    return bytes_response(text, status, "application/yaml")


async def list_or_watch(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    _allow(kind, "list")
    form = negotiation.accepted(request.headers.get("Accept"))
    selection = reading.selection_of(kind, target.namespace, request.query)
    reading.check_list_options(request.query)
    seconds = number(request.query, "timeoutSeconds") or 0
    if flag(request.query, "watch"):
        return await _watch(
            api,
            request,
            WatchRequest(
                kind,
                selection,
                form,
                request.query.get("resourceVersion", ""),
                flag(request.query, "allowWatchBookmarks"),
                flag(request.query, "sendInitialEvents"),
                _include(request),
                float(seconds) if seconds > 0 else _WATCH_SECONDS,
            ),
        )
    page = reading.list_page(api.registry, kind, selection, request.query)
    body = reading.list_body(api.registry, kind, page, form, _include(request), api.now)
    return _formed(body, form)


async def _watch(api: Api, request: web.Request, wanted: WatchRequest) -> web.StreamResponse:
    watch = Watch(api.registry, wanted, api.now)
    api.watches.add(watch)
    headers = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
    response = web.StreamResponse(headers=headers)
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        async for chunk in watch.lines():
            await response.write(chunk)
        await response.write_eof()
        return response
    except ConnectionError:
        return response  # whoever watched went away, as watchers do
    finally:
        watch.end()
        api.watches.discard(watch)


def options_of(request: web.Request, subresource: str = "") -> WriteOptions:
    query, asked = request.query, f"{_OPTIONS.get(request.method, 'Create')}Options"
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        cause = statuses.unsupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])
        raise statuses.invalid("meta.k8s.io", asked, "", [cause])
    dry_run = query.getall("dryRun", [])
    if any(each != "All" for each in dry_run):
        cause = statuses.unsupported("dryRun", dry_run, ["All"])
        raise statuses.invalid("meta.k8s.io", asked, "", [cause])
    if len(query.get("fieldManager", "").encode()) > _LONGEST_MANAGER:
        told = f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
        cause = statuses.Cause("FieldValueTooLong", "fieldManager", told)
        raise statuses.invalid("meta.k8s.io", asked, "", [cause])
    return WriteOptions(
        manager=query.get("fieldManager") or _agent(request),
        subresource=subresource,
        dry_run=bool(dry_run),
        field_validation=validation,
        force=flag(query, "force"),
    )


def _agent(request: web.Request) -> str:
    return request.headers.get("User-Agent", "unknown").split("/")[0].split(" ")[0][:128] or "unknown"


async def body_of(request: web.Request, options: WriteOptions | None = None) -> Object:
    content_type = negotiation.media_type(request.headers.get("Content-Type"))
    return negotiation.read_object(await request.read(), content_type, options)


def _written(
    api: Api, request: web.Request, kind: Kind, obj: Object, options: WriteOptions, status: int = 200
) -> web.Response:
    form = negotiation.accepted(request.headers.get("Accept"))
    answer = shaped(kind, obj, form, _include(request), api.now())
    response = _formed(msgspec.json.encode(answer), form, status)
    for text in options.warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


async def create_object(api: Api, request: web.Request, kind: Kind, target: Target, caller: Identity) -> web.Response:
    _allow(kind, "create")
    options = options_of(request)
    obj = await body_of(request, options)
    if kind.resource.group in _REVIEWS:
        return json_response(reviews.review(kind, obj, caller, api.authenticator, options.manager, api.now()), 201)
    namespace = target.namespace
    if kind.resource.namespaced and namespace is None:
        raise statuses.bad_request("an empty namespace may not be set during creation")
    if kind.resource.kind == "Binding":
        binding = forms.received(kind, obj, options)
        name = binding["metadata"].get("name", "")
        return json_response(subresources.bind(api.registry, namespace or "", name, binding, options), 201)
    return _written(api, request, kind, api.registry.create(kind, namespace, obj, options), options, 201)


async def update_object(
    api: Api, request: web.Request, kind: Kind, target: Target, subresource: str = ""
) -> web.Response:
    options = options_of(request, subresource)
    obj = await body_of(request, options)
    written = api.registry.replace(kind, target.namespace, target.name, obj, options)
    return _written(api, request, kind, written.object, options, 201 if written.created else 200)


async def patch_object(
    api: Api, request: web.Request, kind: Kind, target: Target, subresource: str = ""
) -> web.Response:
    options = options_of(request, subresource)
    content_type = negotiation.media_type(request.headers.get("Content-Type"))
    change = negotiation.read_patch(await request.read(), content_type, options)
    if content_type.startswith("application/apply-patch") and not request.query.get("fieldManager"):
        cause = statuses.required("fieldManager", "is required for apply patch")
        raise statuses.invalid("meta.k8s.io", "PatchOptions", "", [cause])
    if "force" in request.query and not content_type.startswith("application/apply-patch"):
        cause = statuses.forbidden_value("force", "may not be specified for non-apply patch")
        raise statuses.invalid("meta.k8s.io", "PatchOptions", "", [cause])
    written = api.registry.patch(kind, target.namespace, target.name, change, options)
    return _written(api, request, kind, written.object, options, 201 if written.created else 200)


async def _read_delete_options(request: web.Request) -> deletion.DeleteOptions:
    data = await request.read()
    content_type = negotiation.media_type(request.headers.get("Content-Type"))
    if not data:
        return subresources.delete_options(_deletion_of_query(request))
    return subresources.delete_options(negotiation.read_object(b"{}" if data == b"null" else data, content_type))


def _deletion_of_query(request: web.Request) -> Object:
    """What a deletion without a body asks for. With one, Kubernetes does not look at the query."""
    query = request.query
    said: Object = {
        "gracePeriodSeconds": number(query, "gracePeriodSeconds"),
        "propagationPolicy": query.get("propagationPolicy"),
        "orphanDependents": flag(query, "orphanDependents") if "orphanDependents" in query else None,
        "dryRun": query.getall("dryRun", []),
        "preconditions": {name: query[name] for name in ("uid", "resourceVersion") if query.get(name)},
    }
    return {name: value for name, value in said.items() if value is not None}


async def delete_object(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    _allow(kind, "delete")
    options = await _read_delete_options(request)
    uid = api.registry.view(kind, api.registry.stored(kind, target.namespace, target.name))["metadata"]["uid"]
    deleted = api.registry.delete(kind, target.namespace, target.name, options)
    if not deleted.finished or kind.resource.kind in _RETURNS_OBJECT:
        return json_response(_viewed(kind, deleted.object))
    details: Object = {"name": target.name}
    if kind.resource.group:
        details["group"] = kind.resource.group
    details |= {"kind": kind.resource.plural, "uid": uid}
    return json_response(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    )


def _viewed(kind: Kind, obj: Object) -> Object:
    return {**obj, "apiVersion": kind.resource.api_version}


async def delete_collection(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    _allow(kind, "deletecollection")
    options = await _read_delete_options(request)
    selection = reading.selection_of(kind, target.namespace, request.query)
    page = reading.list_page(api.registry, kind, selection, {})
    body = reading.list_body(api.registry, kind, page, Accepted("object"), "None", api.now)
    for stored in page.stored:
        if api.registry.storage.find(kind.storage_key, stored.namespace, stored.name) is not None:
            api.registry.delete(kind, stored.namespace or None, stored.name, options)
    return bytes_response(body)
