"""Values as JSON that people read and write again: what JSON has no word for gets one here."""

import base64
import json
import math
from typing import Any

from klamm.console.serdes.cursor import DEEPEST, Misfit


def to_text(value: Any) -> str:
    """JSON; numbers of any size stay exact, NaN and infinities become strings."""
    try:
        return json.dumps(_plain(value, 0), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise Misfit(str(error)) from None


def from_text(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Misfit(f"line {error.lineno}, column {error.colno}: {error.msg}; JSON is wanted") from None
    except RecursionError:
        raise Misfit("it is nested too deep") from None
    except ValueError as error:  # a number of thousands of digits
        raise Misfit(str(error)) from None


def _no_constant(name: str) -> Any:
    raise Misfit(f'{name} is no JSON; write "{name}"')


def _plain(value: Any, depth: int) -> Any:
    if depth > 2 * DEEPEST:
        raise Misfit(f"it is nested more than {2 * DEEPEST} levels deep")
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key if isinstance(key, str) else _key(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, str | bool | int) or value is None:
        return value
    return str(value)


def _key(key: Any) -> str:
    return to_text(key) if not isinstance(key, bytes) else base64.b64encode(key).decode()
