"""Objects of any kind written, read and deleted: the API itself says (by discovery) what a kind is called in paths."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from klamm.cli.context import MANAGER
from klamm.cli.errors import Mistake, NotFound
from klamm.cli.manifests import Manifest
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.requests import APPLY_PATCH, Request

Object = dict[str, Any]

CATEGORIES = ("all", "strimzi")
"""Words that stand for many kinds; looked for in discovery only when one of them is asked for."""


@dataclass(frozen=True, slots=True)
class Served:
    """A kind as the API serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    singular: str = ""
    categories: tuple[str, ...] = ()

    @property
    def typed(self) -> str:
        """As kubectl prints it before a name: kafka.kafka.strimzi.io, pod."""
        group = self.api_version.rpartition("/")[0]
        word = self.singular or self.kind.lower()
        return f"{word}.{group}" if group else word

    def path(self, namespace: str | None, name: str | None = None) -> str:
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{root}{place}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


class Discovery:
    """Asks once for each group and version."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, tuple[Served, ...]] = {}

    async def of_version(self, api_version: str) -> tuple[Served, ...]:
        if api_version not in self._known:
            path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            request = Request("GET", path, f"discover {api_version}", idempotent=True)
            listed = msgspec.json.decode(await self._client.raw(request))
            self._known[api_version] = tuple(
                Served(
                    api_version,
                    entry["kind"],
                    entry["name"],
                    entry["namespaced"],
                    tuple(entry.get("shortNames", ())),
                    entry.get("singularName", ""),
                    tuple(entry.get("categories", ())),
                )
                for entry in listed["resources"]
                if "/" not in entry["name"]
            )
        return self._known[api_version]

    async def of_manifest(self, manifest: Manifest) -> Served:
        try:
            served = await self.of_version(manifest.api_version)
        except errors.NotFound:
            served = ()
        for one in served:
            if one.kind == manifest.kind:
                return one
        raise Mistake(
            f"{manifest.origin}: kind {manifest.kind} of {manifest.api_version} is not known here; is it spelled right?"
        )

    async def by_word(self, word: str) -> Served:
        """What people type: plural, singular, short name or kind, with or without its group."""
        name, _, group = word.lower().partition(".")
        for api_version in await self._versions():
            if group and not api_version.startswith(group):
                continue
            for one in await self.of_version(api_version):
                if name in (one.plural, one.singular, one.kind.lower(), *one.short_names):
                    return one
        raise Mistake(f"there is no kind {word!r} here; `kubectl api-resources` lists what there is")

    async def words(self, words: str) -> list[Served]:
        """Several at once, by comma; a category ("strimzi", "all") stands for all its kinds."""
        found: list[Served] = []
        for word in words.split(","):
            found.extend(await self._of_category(word) or [await self.by_word(word)])
        return list(dict.fromkeys(found))

    async def _of_category(self, word: str) -> list[Served]:
        if word not in CATEGORIES:
            return []
        return [
            one
            for version in await self._versions()
            for one in await self.of_version(version)
            if word in one.categories
        ]

    async def _versions(self) -> list[str]:
        groups = msgspec.json.decode(
            await self._client.raw(Request("GET", "/apis", "discover groups", idempotent=True))
        )
        preferred = [group["preferredVersion"]["groupVersion"] for group in groups["groups"]]
        return ["v1", *sorted(preferred, key=lambda version: "strimzi" not in version)]


async def ensure_namespace(client: Client, name: str) -> None:
    body = msgspec.json.encode({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        await client.raw(Request("POST", "/api/v1/namespaces", f"create namespace {name}", body=body))
    except errors.AlreadyExists:
        return


@dataclass(frozen=True, slots=True)
class Applied:
    object: Object
    change: str
    """created, configured or unchanged; for a dry run what would be."""
    warnings: tuple[str, ...]


async def apply_manifest(
    client: Client, discovery: Discovery, manifest: Manifest, namespace: str, *, dry_run: bool = False
) -> Applied:
    """Server-side apply; what somebody else had set becomes ours, as with `kubectl apply`."""
    served = await discovery.of_manifest(manifest)
    place = manifest.namespace or namespace
    before = await _revision(client, served, place, manifest.name)
    query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Warn"}
    if dry_run:
        query["dryRun"] = "All"
    request = Request(
        "PATCH",
        served.path(place, manifest.name),
        f"{manifest.origin}: apply {manifest.kind} {manifest.name}",
        tuple(query.items()),
        _encoded(manifest),
        APPLY_PATCH,
        idempotent=True,
    )
    response = await client.answer(request)
    applied: Object = msgspec.json.decode(response.body)
    return Applied(applied, _change(before, applied), warnings_of(response.headers.get("Warning", "")))


def _encoded(manifest: Manifest) -> bytes:
    try:
        return msgspec.json.encode(manifest.object)
    except (RecursionError, TypeError, ValueError) as error:
        # YAML can say more than JSON: an anchor inside itself, keys that are lists.
        raise Mistake(f"{manifest.origin} cannot be written as JSON, which Kubernetes speaks: {error}") from error


async def _revision(client: Client, served: Served, namespace: str, name: str) -> tuple[object, ...] | None:
    try:
        return _marks(await read(client, served, namespace, name))
    except NotFound:
        return None


def _marks(obj: Object) -> tuple[object, ...]:
    """What differs between two states when somebody's wishes do: a status that moved on meanwhile does not count."""
    metadata = obj["metadata"]
    kept = ("labels", "annotations", "finalizers", "generation")
    bulk = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return (*(metadata.get(key) for key in kept), bulk)


def _change(before: tuple[object, ...] | None, after: Object) -> str:
    if before is None:
        return "created"
    return "unchanged" if before == _marks(after) else "configured"


def warnings_of(header: str) -> tuple[str, ...]:
    """The texts of Warning headers (RFC 7234 §5.5: 299 - "text"), which Kubernetes sends for what it tolerates."""
    return tuple(text.replace('\\"', '"') for text in re.findall(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"', header))


async def read(client: Client, served: Served, namespace: str | None, name: str) -> Object:
    request = Request("GET", served.path(namespace, name), f"read {served.kind} {name}", idempotent=True)
    try:
        found: Object = msgspec.json.decode(await client.raw(request))
    except errors.NotFound as error:
        raise NotFound(f"there is no {served.kind} {name} in {namespace or 'the cluster'}") from error
    return found


async def list_objects(client: Client, served: Served, namespace: str | None, labels: str = "") -> list[Object]:
    """With apiVersion and kind, which the items of a list need not carry."""
    query = (("labelSelector", labels),) if labels else ()
    request = Request("GET", served.path(namespace), f"list {served.plural}", query, idempotent=True)
    items: list[Object] = msgspec.json.decode(await client.raw(request)).get("items") or []
    return [{"apiVersion": served.api_version, "kind": served.kind, **item} for item in items]


async def delete(client: Client, served: Served, namespace: str | None, name: str) -> bool:
    """False when there was none."""
    request = Request("DELETE", served.path(namespace, name), f"delete {served.kind} {name}")
    try:
        await client.raw(request)
    except errors.NotFound:
        return False
    return True
