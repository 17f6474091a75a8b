"""Makes messages.json.gz: the protobuf field numbers of the native kinds that clients create, as bare facts.

`python -m klamm.localkube.apiserver.generate_messages <k8s.io/api module> <k8s.io/apimachinery module>`. The numbers,
and whether a field is a pointer or left out when empty, stand in the tags of the Go types.
"""

import gzip
import json
import re
import sys
from pathlib import Path

GROUPS = [
    "core/v1",
    "apps/v1",
    "batch/v1",
    "networking/v1",
    "policy/v1",
    "rbac/v1",
    "storage/v1",
    "scheduling/v1",
    "coordination/v1",
    "discovery/v1",
    "events/v1",
    "autoscaling/v1",
    "autoscaling/v2",
    "authentication/v1",
    "authorization/v1",
]
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^type (\w+) (?:= )?([\w.\[\]*]+)$", re.MULTILINE)
_IMPORT = re.compile(r'^\s+(?:(\w+) )?"k8s\.io/(?:api|apimachinery/pkg(?:/apis|/api|/util)?)/([\w/]+)"', re.MULTILINE)
_FIELD = re.compile(r'^\s+(?:\w+\s+)?(\S+)\s+`json:"([\w$]*)(,[^"]*)?".*?protobuf:"\w+,(\d+),')
_SCALARS = frozenset(["string", "bool", "int", "int32", "int64", "uint32", "uint8", "float64", "byte"])
Fields = dict[str, tuple[str, str, bool]]


class Module:
    """The Go types of all packages, by "package.Type"."""

    def __init__(self) -> None:
        self.structs: dict[str, Fields] = {}
        self.named: dict[str, str] = {}

    def read(self, package: str, text: str) -> None:
        imports = {alias or path.split("/")[-1]: path for alias, path in _IMPORT.findall(text)}
        for name, kind in _NAMED.findall(text):
            self.named[f"{package}.{name}"] = _full(kind, package, imports)
        for name, body in _STRUCT.findall(text):
            fields: Fields = {}
            for line in body.splitlines():
                match = _FIELD.match(line)
                if match:
                    kind, json_name, options, number = match.groups()
                    fields[number] = (json_name, _full(kind, package, imports), "omitempty" in (options or ""))
            self.structs[f"{package}.{name}"] = fields

    def resolve(self, kind: str) -> str:
        """Named types that are no structs become what they stand for."""
        head = re.match(r"^(\*|\[\]|map\[[\w./]+\])", kind)
        if head:
            mark = "map[string]" if head[0].startswith("map") else head[0]
            return mark + self.resolve(kind[head.end() :])
        return self.resolve(self.named[kind]) if kind in self.named and kind not in KEPT else kind


KEPT = frozenset(["authentication/v1.ExtraValue", "authorization/v1.ExtraValue", "core/v1.List"])


def _full(kind: str, package: str, imports: dict[str, str]) -> str:
    head = re.match(r"^(\*|\[\]|map\[[\w.]+\])", kind)
    if head:
        return head[0] + _full(kind[head.end() :], package, imports)
    if kind in _SCALARS:
        return kind
    alias, dot, name = kind.rpartition(".")
    return f"{imports.get(alias, alias)}.{name}" if dot else f"{package}.{name}"


def go_types(api: Path, machinery: Path) -> Module:
    module = Module()
    for group in GROUPS:
        module.read(group, (api / group / "types.go").read_text())
    module.read("meta/v1", (machinery / "pkg/apis/meta/v1/types.go").read_text())
    module.named |= {"types.UID": "string", "types.NodeName": "string"}
    return module


def generate(api: Path, machinery: Path) -> dict[str, Fields]:
    module = go_types(api, machinery)
    wanted = [name for name in module.structs if "metadata" in {field[0] for field in module.structs[name].values()}]
    wanted = [name for name in wanted if not name.endswith("List")] + ["meta/v1.DeleteOptions"]
    found: dict[str, Fields] = {}
    while wanted:
        name = wanted.pop()
        if name in found or name not in module.structs:
            continue
        fields = module.structs[name]
        found[name] = {number: (of, module.resolve(kind), omit) for number, (of, kind, omit) in fields.items()}
        wanted += [re.sub(r"^(\*|\[\]|map\[string\])*", "", kind) for _, kind, _ in found[name].values()]
    return found


def main() -> None:
    messages = generate(Path(sys.argv[1]), Path(sys.argv[2]))
    data = json.dumps(messages, separators=(",", ":"), sort_keys=True).encode()
    target = Path(__file__).with_name("messages.json.gz")
    target.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{target.name}: {len(messages)} messages, {target.stat().st_size} bytes packed")


if __name__ == "__main__":
    main()
