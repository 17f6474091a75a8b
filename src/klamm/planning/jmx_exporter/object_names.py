"""Whether a text names MBeans: domain:key=value,… with patterns, as Java's ObjectName reads it.

All that Java refuses is refused. It lets two mistakes pass that are told here: a comma at the end after *, and any
other sign than a comma behind a value in quotes.
"""

import re

_VALUE = r'"(?:[^"\\\n]|\\[\\"?*n])*"|[^,=:"\n]*'
_PROPERTY = rf"(?P<key>[^=*?,:\n]+)=(?:{_VALUE})"
_ITEM = re.compile(rf"(?:\*|{_PROPERTY})(?P<more>,|\Z)")
_DOMAIN = re.compile(r"[^:\n]*:")


def reason_no_object_name(text: str) -> str | None:
    """What is wrong with the name; None when Java reads it."""
    if not text:
        return None  # all that there are
    domain = _DOMAIN.match(text)
    return _reason_no_properties(text, domain.end()) if domain else "it has no domain that a colon ends"


def _reason_no_properties(text: str, at: int) -> str | None:
    keys: set[str | None] = set()
    while item := _ITEM.match(text, at):
        if (key := item["key"]) in keys:
            return f"{key} is there twice" if key else "* is there twice"
        keys.add(key)
        at = item.end()
        if not item["more"]:
            return None
    return f"{text[at:]!r} is no key=value" if at < len(text) else f"nothing follows {text[-1]!r}"
