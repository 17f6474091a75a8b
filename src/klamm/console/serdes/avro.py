"""Apache Avro's binary form, by a schema: records to plain values and back (specification 1.11).

Schemas come with the data or from a registry, so they are strangers', too: with `{"type": "array", "items": "null"}`
a record of ten bytes would be an endless list, and a record that holds itself would be as deep as it is long. Readers
that are fast do not count; this one does (`Cursor`).

Logical types are shown as people write them: dates, times, decimals. A union of null and one other is shown bare;
another one as `{"branch": value}`, as Avro's own JSON form has it. bytes and fixed are strings of one character per
byte (U+0000 to U+00FF), as there.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from klamm.console.serdes.avro_times import WORDS
from klamm.console.serdes.cursor import DEEPEST, LARGEST, Cursor, Misfit, put_zigzag
from klamm.console.serdes.shaped import from_text

Read = Callable[[Cursor, int], Any]
Write = Callable[[Any, bytearray, str], None]

_INT, _LONG = range(-(2**31), 2**31), range(-(2**63), 2**63)
_MOST_NAMES = 10_000


@dataclass(slots=True)
class Form:
    """A schema, ready to be used. `name`: of the branch in a union."""

    name: str
    read: Read
    write: Write


def parse(schema: str, known: "Mapping[str, Form] | None" = None) -> Form:
    """`known`: named types that the schema refers to. Raises `Misfit` for what is no schema."""
    return parse_all(schema, dict(known or {}))


def parse_all(schema: str, names: dict[str, Form]) -> Form:
    """The same; the names that it defines are added."""
    try:
        return _Parser(names).form(from_text(schema), "", 0)
    except RecursionError:
        raise Misfit("the schema is nested too deep") from None


def decode(form: Form, data: bytes) -> Any:
    cursor = Cursor(data)
    value = form.read(cursor, 0)
    cursor.end()
    return value


def encode(form: Form, value: Any) -> bytes:
    out = bytearray()
    try:
        form.write(value, out, "")
    except RecursionError:
        raise Misfit("the value is nested too deep") from None
    return bytes(out)


class _Parser:
    def __init__(self, names: dict[str, Form]) -> None:
        self.names = names

    def form(self, schema: Any, space: str, depth: int) -> Form:
        if depth > DEEPEST:
            raise Misfit(f"the schema is nested more than {DEEPEST} levels deep")
        if isinstance(schema, str):
            return self._named(schema, space)
        if isinstance(schema, list):
            return _union([self.form(one, space, depth + 1) for one in schema])
        if not isinstance(schema, dict) or "type" not in schema:
            raise Misfit(f"{str(schema)[:80]!r} is no Avro schema: a name, a list, or an object with a type is")
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.form(kind, space, depth + 1)
        if kind == "array":
            return _array(self.form(_of(schema, "items"), space, depth + 1))
        if kind == "map":
            return _map(self.form(_of(schema, "values"), space, depth + 1))
        if kind in ("record", "error", "enum", "fixed"):
            return self._define(schema, kind, space, depth)
        return _logical(schema, self._named(kind, space))

    def _named(self, name: str, space: str) -> Form:
        if name in _PRIMITIVES:
            return _PRIMITIVES[name]
        full = name if "." in name or not space else f"{space}.{name}"
        found = self.names.get(full) or self.names.get(name)
        if found is None:
            raise Misfit(f"the schema speaks of {full}, which it does not define")
        return found

    def _define(self, schema: dict[str, Any], kind: str, space: str, depth: int) -> Form:
        name = str(_of(schema, "name"))
        if "." not in name:
            space = str(schema.get("namespace") or space)
            name = f"{space}.{name}" if space else name
        else:
            space = name.rpartition(".")[0]
        form = Form(name, _not_yet, _not_yet)
        if len(self.names) >= _MOST_NAMES:
            raise Misfit(f"the schema defines more than {_MOST_NAMES} names")
        self.names[name] = form
        if kind == "enum":
            form.read, form.write = _enum([str(one) for one in _list(schema, "symbols")])
        elif kind == "fixed":
            size = _of(schema, "size")
            if not isinstance(size, int) or not 0 <= size <= LARGEST:
                raise Misfit(f"{name} has size {size!r}; a number of bytes is wanted")
            made = _logical(schema, Form(name, *_fixed(size)))
            form.read, form.write = made.read, made.write
        else:
            fields = _list(schema, "fields")
            parts = [
                (str(_of(one, "name")), self.form(_of(one, "type"), space, depth + 1), one.get("default", _NO_DEFAULT))
                for one in fields
            ]
            form.read, form.write = _record(parts)
        return form


_NO_DEFAULT = object()


def _not_yet(*_: Any) -> Any:
    raise Misfit("the schema uses a type before it is whole")


def _of(schema: Any, key: str) -> Any:
    if not isinstance(schema, dict) or key not in schema:
        raise Misfit(f"a part of the schema has no {key}: {str(schema)[:80]}")
    return schema[key]


def _list(schema: Any, key: str) -> list[Any]:
    found = _of(schema, key)
    if not isinstance(found, list):
        raise Misfit(f"{key} is no list in the schema")
    return found


def _wrong(path: str, wanted: str, value: Any) -> Misfit:
    return Misfit(f"{path or 'the value'}: {wanted} is wanted, not {str(value)[:60]!r}")


def _record(parts: list[tuple[str, Form, Any]]) -> tuple[Read, Write]:
    def read(cursor: Cursor, depth: int) -> Any:
        cursor.spend(depth)
        return {name: form.read(cursor, depth + 1) for name, form, _ in parts}

    def write(value: Any, out: bytearray, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(path, "an object", value)
        if unknown := value.keys() - {name for name, _, _ in parts}:
            raise Misfit(f"{path or 'the value'}: the schema has no field {sorted(map(str, unknown))[0]!r}")
        for name, form, default in parts:
            one = value.get(name, default)
            if one is _NO_DEFAULT:
                raise Misfit(f"{path}.{name}: it is missing, and has no default".lstrip("."))
            form.write(one, out, f"{path}.{name}".lstrip("."))

    return read, write


def _array(items: Form) -> Form:
    def read(cursor: Cursor, depth: int) -> Any:
        cursor.spend(depth)
        found: list[Any] = []
        for _ in _blocks(cursor, depth):
            found.append(items.read(cursor, depth + 1))
        return found

    def write(value: Any, out: bytearray, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        if value:
            put_zigzag(out, len(value))
            for at, one in enumerate(value):
                items.write(one, out, f"{path}[{at}]")
        put_zigzag(out, 0)

    return Form("array", read, write)


def _map(values: Form) -> Form:
    def read(cursor: Cursor, depth: int) -> Any:
        cursor.spend(depth)
        found: dict[str, Any] = {}
        for _ in _blocks(cursor, depth):
            key = cursor.text(cursor.zigzag())
            found[key] = values.read(cursor, depth + 1)
        return found

    def write(value: Any, out: bytearray, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(path, "an object", value)
        if value:
            put_zigzag(out, len(value))
            for key, one in value.items():
                _write_string(key, out, path)
                values.write(one, out, f"{path}.{key}".lstrip("."))
        put_zigzag(out, 0)

    return Form("map", read, write)


def _blocks(cursor: Cursor, depth: int) -> Any:
    """Once for each item."""
    while count := cursor.zigzag():
        if count < 0:
            count = -count
            cursor.zigzag()
        for _ in range(count):
            cursor.spend(depth)
            yield


def _union(branches: list[Form]) -> Form:
    bare = len(branches) == 2 and any(one.name == "null" for one in branches)

    def read(cursor: Cursor, depth: int) -> Any:
        cursor.spend(depth)
        at = cursor.zigzag()
        if not 0 <= at < len(branches):
            raise Misfit(f"branch {at} of a union at byte {cursor.at}; it has {len(branches)}")
        value = branches[at].read(cursor, depth + 1)
        return value if bare or branches[at].name == "null" else {branches[at].name: value}

    def write(value: Any, out: bytearray, path: str) -> None:
        if isinstance(value, dict) and len(value) == 1:
            (name,) = value
            for at, branch in enumerate(branches):
                if name in (branch.name, branch.name.rpartition(".")[2]):
                    put_zigzag(out, at)
                    return branch.write(value[name], out, path)
        reasons = []
        for at, branch in enumerate(branches):
            mark = len(out)
            try:
                put_zigzag(out, at)
                return branch.write(value, out, path)
            except Misfit as misfit:
                del out[mark:]
                reasons.append(str(misfit))
        raise Misfit("; ".join(reasons) or f"{path}: the union has no branch")

    return Form("union", read, write)


def _enum(symbols: list[str]) -> tuple[Read, Write]:
    def read(cursor: Cursor, depth: int) -> Any:
        at = cursor.zigzag()
        if not 0 <= at < len(symbols):
            raise Misfit(f"symbol {at} of an enum at byte {cursor.at}; it has {len(symbols)}")
        return symbols[at]

    def write(value: Any, out: bytearray, path: str) -> None:
        if value not in symbols:
            raise _wrong(path, f"one of {', '.join(symbols[:20])}", value)
        put_zigzag(out, symbols.index(value))

    return read, write


def _fixed(size: int) -> tuple[Read, Write]:
    def write(value: Any, out: bytearray, path: str) -> None:
        data = _as_bytes(value, path)
        if len(data) != size:
            raise _wrong(path, f"a string of {size} characters, one a byte,", value)
        out += data

    return lambda cursor, depth: cursor.take(size).decode("latin-1"), write


def _as_bytes(value: Any, path: str) -> bytes:
    try:
        return str.encode(value, "latin-1")
    except (TypeError, UnicodeEncodeError):
        raise _wrong(path, "a string of characters up to U+00FF, one a byte,", value) from None


def _write_null(value: Any, out: bytearray, path: str) -> None:
    if value is not None:
        raise _wrong(path, "null", value)


def _read_boolean(cursor: Cursor, _: int) -> bool:
    one = cursor.byte()
    if one > 1:
        raise Misfit(f"a boolean at byte {cursor.at - 1} is {one}")
    return one == 1


def _write_boolean(value: Any, out: bytearray, path: str) -> None:
    if not isinstance(value, bool):
        raise _wrong(path, "true or false", value)
    out.append(value)


def _integer(fits: range) -> tuple[Read, Write]:
    def read(cursor: Cursor, _: int) -> int:
        value = cursor.zigzag()
        if value not in fits:
            raise Misfit(f"{value} at byte {cursor.at} does not fit into 32 bits")
        return value

    def write(value: Any, out: bytearray, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value not in fits:
            raise _wrong(path, f"a whole number from {fits[0]} to {fits[-1]}", value)
        put_zigzag(out, value)

    return read, write


def _floating(form: str) -> tuple[Read, Write]:
    def write(value: Any, out: bytearray, path: str) -> None:
        if isinstance(value, str) and value.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(path, "a number", value)
        try:
            out += struct.pack(form, value)
        except (OverflowError, struct.error):
            raise _wrong(path, "a smaller number", value) from None

    return lambda cursor, depth: cursor.number(form), write


def _write_string(value: Any, out: bytearray, path: str) -> None:
    if not isinstance(value, str):
        raise _wrong(path, "a string", value)
    data = value.encode()
    put_zigzag(out, len(data))
    out += data


def _write_bytes(value: Any, out: bytearray, path: str) -> None:
    data = _as_bytes(value, path)
    put_zigzag(out, len(data))
    out += data


_PRIMITIVES: Mapping[str, Form] = {
    "null": Form("null", lambda cursor, depth: None, _write_null),
    "boolean": Form("boolean", _read_boolean, _write_boolean),
    "int": Form("int", *_integer(_INT)),
    "long": Form("long", *_integer(_LONG)),
    "float": Form("float", *_floating("<f")),
    "double": Form("double", *_floating("<d")),
    "bytes": Form("bytes", lambda cursor, depth: cursor.take(cursor.zigzag()).decode("latin-1"), _write_bytes),
    "string": Form("string", lambda cursor, depth: cursor.text(cursor.zigzag()), _write_string),
}


def _logical(schema: dict[str, Any], base: Form) -> Form:
    """With the words for its logical type; a type that is not known is as its base, says the specification."""
    kind = schema.get("logicalType")
    if kind == "decimal" and (base.name == "bytes" or schema["type"] == "fixed"):
        scale = schema.get("scale", 0)
        if isinstance(scale, int) and 0 <= scale <= 1000:
            return _decimal(base, scale, schema.get("size") if schema["type"] == "fixed" else None)
    words = WORDS.get((str(kind), base.name))
    return base if words is None else _worded(base, *words)


def _worded(base: Form, shown: Callable[[int], str], meant: Callable[[str], int]) -> Form:
    def read(cursor: Cursor, depth: int) -> Any:
        value = base.read(cursor, depth)
        try:
            return shown(value)
        except (ValueError, OverflowError):
            return value  # a year that no calendar here has

    def write(value: Any, out: bytearray, path: str) -> None:
        if isinstance(value, str):
            try:
                value = meant(value)
            except (ValueError, TypeError):
                raise _wrong(path, f"a number, or the like of {shown(0)}", value) from None
        base.write(value, out, path)

    return Form(base.name, read, write)


def _decimal(base: Form, scale: int, size: int | None) -> Form:
    def read(cursor: Cursor, depth: int) -> Any:
        unscaled = int.from_bytes(base.read(cursor, depth).encode("latin-1"), "big", signed=True)
        if unscaled.bit_length() > 4000:
            raise Misfit("a decimal has more than 1200 digits")
        with localcontext(prec=1300):
            return format(Decimal(unscaled).scaleb(-scale), "f")

    def write(value: Any, out: bytearray, path: str) -> None:
        try:
            with localcontext(prec=1300):
                exact = Decimal(str(value)).scaleb(scale)
                unscaled = int(exact)
                if unscaled != exact or abs(exact.adjusted()) > 1200:
                    raise InvalidOperation
        except (InvalidOperation, ValueError, OverflowError):
            raise _wrong(path, f"a number with at most {scale} digits after the point", value) from None
        length = size or (unscaled.bit_length() + 8) // 8
        try:
            base.write(unscaled.to_bytes(length, "big", signed=True).decode("latin-1"), out, path)
        except OverflowError:
            raise _wrong(path, f"a number of {length} bytes", value) from None

    return Form(base.name, read, write)
