"""What a server answers to a case, without what differs from run to run.

What varies is replaced by its order of appearance: versions, uids, generated names, addresses, ports. So two answers
are equal only if the same things are equal within them: a write that changes nothing keeps its version on both servers.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from tests.conformance.case import Case, Step

ENDS_WITHIN = 60.0
_AN_ANSWER_ENDS_WITHIN = 30.0
"""Seconds until an answer, or the events of a watch, must have come."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_RANDOM = (
    (re.compile(r"kube-api-access-\w{5}"), "kube-api-access-<random>"),
    (re.compile(r"in record \(\d+\)"), "in record (<version>)"),
    (re.compile(r"(?<=, current: )\d+"), "<version>"),
    (re.compile(r"JTI=[0-9a-f-]{36}|X509SHA256=[0-9a-f]{64}"), "<credential>"),
    (_TIME, "<time>"),
    (re.compile(r"^\ds$"), "<seconds>"),
)
_ADDRESS = re.compile(r"\b10\.96\.\d+\.\d+\b")
_NODE_PORT = re.compile(r"(?<=:)3[0-2]\d{3}(?=/TCP)")
_VARYING = {"resourceVersion": "version", "uid": "uid", "nodePort": "port"}


@dataclass
class Varying:
    """What differs from run to run, called by the order in which it came."""

    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    """What varied so far, kind by kind, and what it is called."""
    generated: dict[str, str] = field(default_factory=dict)

    def remember(self, read: Any) -> None:
        """Names, uids and tokens of an answer that were made for it."""
        metadata = read.get("metadata") if isinstance(read, dict) else None
        if not isinstance(metadata, dict):
            return
        if token := token_of(read):
            self.seen.setdefault("token", {})[token] = "<token>"
        if metadata.get("uid"):
            self._numbered("uid", metadata["uid"])
        name, beginning = metadata.get("name", ""), metadata.get("generateName")
        if beginning and name.startswith(beginning):
            self.generated.setdefault(name, f"{beginning}<{len(self.generated)}>")

    def steady(self, value: Any, key: str = "") -> Any:
        """`value` with what stays the same from server to server."""
        if key == "managedFields" and isinstance(value, list):
            # They come by the second in which they were written, and a second may end at any moment.
            value = sorted(value, key=lambda entry: json.dumps({**entry, "time": ""}, sort_keys=True))
        if key == "causes" and isinstance(value, list):
            value = sorted(value, key=json.dumps)  # conflicts come in the order of a Go map
        if isinstance(value, list):
            return [self.steady(each, key) for each in value]
        if isinstance(value, dict):
            read = _as_list(value) if "items" in value or "rows" in value else value
            return {name: self.steady(read[name], name) for name in sorted(read)}
        if value and key in _VARYING and value != _MOMENT:
            return self._numbered(_VARYING[key], value)
        return self.steady_text(value) if isinstance(value, str) else value

    def steady_text(self, text: str) -> str:
        for name, steady in (
            *self.generated.items(),
            *self.seen.get("uid", {}).items(),
            *self.seen.get("token", {}).items(),
        ):
            text = text.replace(name, steady)
        text = _NODE_PORT.sub(lambda found: self._numbered("port", found.group()), text)
        text = _ADDRESS.sub(lambda found: self._numbered("address", found.group()), text)
        for varies, steady in _RANDOM:
            text = varies.sub(steady, text)
        return text

    def _numbered(self, kind: str, value: Any) -> str:
        known = self.seen.setdefault(kind, {})
        return known.setdefault(str(value), f"<{kind} {len(known)}>")


def token_of(read: Any) -> str:
    status = read.get("status")
    return str(status.get("token") or "") if isinstance(status, dict) else ""


@dataclass
class Transcript:
    session: aiohttp.ClientSession
    stranger: aiohttp.ClientSession
    """Has no certificate."""
    case: Case
    answers: list[Any] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=lambda: dict(version="0", uid="", token="") | {"continue": ""})
    """What the next steps may speak of: see case.py."""
    varying: Varying = field(default_factory=Varying)

    async def play(self) -> list[Any]:
        await self._ask(Step("POST", "/api/v1/namespaces", {"metadata": {"name": "{ns}"}}))
        await self._ask(Step("POST", "{accounts}", {"metadata": {"name": "default"}}))
        for step in self.case.steps:
            if step.method in _AWAITED:
                await self._until(self.case.filled(step.path, self.last), _AWAITED[step.method])
                continue
            self.answers.append({f"{step.method} {step.path}": await self._ask(step)})
        return self.answers

    async def _until(self, path: str, code: int) -> None:
        async with asyncio.timeout(ENDS_WITHIN):
            while True:
                async with self.session.get(path) as answer:
                    if answer.status == code:
                        return
                await asyncio.sleep(0.05)

    async def _ask(self, step: Step) -> Any:
        """As every client does, once more where kube-apiserver has not yet set up the storage of a new kind."""
        async with asyncio.timeout(ENDS_WITHIN * 2):
            while True:
                said = await self._asked(step)
                if said["code"] != 429 or said.get("body", {}).get("message") != _NOT_YET:
                    return said
                await asyncio.sleep(0.05)

    async def _asked(self, step: Step) -> Any:
        written = step.body if isinstance(step.body, str) else json.dumps(step.body)
        body = None if step.body is None else self.case.filled(written, self.last)
        headers = {"Accept": step.accept} | ({} if body is None else {"Content-Type": step.type})
        path = self.case.filled(step.path, self.last)
        session = self.session
        if step.token:
            session, headers["Authorization"] = self.stranger, f"Bearer {self.case.filled(step.token, self.last)}"
        async with session.request(step.method, path, data=body, headers=headers) as answer:
            try:
                async with asyncio.timeout(_AN_ANSWER_ENDS_WITHIN):
                    if step.events and answer.status == 200:
                        return {"code": answer.status, "events": await self._events(answer, step.events)}
                    text = await answer.text()
            except TimeoutError:
                return {"code": answer.status, "text": "the answer does not end"}
        said = {"code": answer.status, "warnings": answer.headers.getall("Warning", [])}
        try:
            read = json.loads(text)
        except ValueError:
            return {**said, "text": self.varying.steady_text(text)}
        self._remember(read)
        return {**said, "body": self.varying.steady(read)}

    async def _events(self, answer: aiohttp.ClientResponse, count: int) -> list[Any]:
        found: list[Any] = []
        while len(found) < count and (line := await answer.content.readline()):
            event = json.loads(line)
            if event["type"] != "BOOKMARK":
                found.append(self.varying.steady(event))
        return found

    def _remember(self, read: Any) -> None:
        self.varying.remember(read)
        metadata = read.get("metadata") if isinstance(read, dict) else None
        if isinstance(metadata, dict):
            words = (("version", "resourceVersion"), ("uid", "uid"), ("continue", "continue"))
            self.last |= {word: metadata[name] for word, name in words if metadata.get(name)}
            self.last["token"] = token_of(read) or self.last["token"]


_AWAITED = {"WAIT": 200, "GONE": 404}
_NOT_YET = "storage is (re)initializing"
_MOMENT = "<moment>"


def _as_list(value: Mapping[str, Any]) -> dict[str, Any]:
    """A list's own version is a moment, which other writes move on; the texts about a table's columns are ours."""
    metadata = {
        name: _MOMENT if name in ("resourceVersion", "continue") and each else each
        for name, each in (value.get("metadata") or {}).items()
    }
    columns = [{**each, "description": ""} for each in value.get("columnDefinitions") or ()]
    return {**value, "metadata": metadata, **({"columnDefinitions": columns} if columns else {})}


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where two transcripts differ, a line each: where, what localkube says, what Kubernetes says."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        keys = sorted({*ours, *theirs}, key=str)
        pairs = [(f"{at}.{key}", ours.get(key, _ABSENT), theirs.get(key, _ABSENT)) for key in keys]
    elif _is_list(ours) and _is_list(theirs):
        longest = max(len(ours), len(theirs))
        pairs = [(f"{at}[{number}]", _item(ours, number), _item(theirs, number)) for number in range(longest)]
    elif ours == theirs and type(ours) is type(theirs):
        return []
    else:
        return [f"{at}: localkube {_short(ours)}, kubernetes {_short(theirs)}"]
    return [line for where, one, other in pairs for line in differences(one, other, where)]


_ABSENT = "(absent)"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _item(items: Sequence[Any], number: int) -> Any:
    return items[number] if number < len(items) else _ABSENT


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) < 400 else f"{text[:400]}…"
