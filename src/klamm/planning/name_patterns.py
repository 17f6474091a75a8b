"""Patterns for names of topics and groups, as klamm's exporter reads them: by Python's `re`.

kafka_exporter, from whose command lines and resources they come, has Go's `regexp`; what people write means the same to
both but for a few signs, and those are told.
"""

import re

_LONGEST = 65536
"""It becomes an environment variable, of which Linux takes twice as much."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
"""Python reads [[:alpha:]] as a set of these very characters, and would say nothing."""


def reason_not_to_read(pattern: str) -> tuple[str, str] | None:
    """What is wrong, and what to do about it; None for a pattern that can be compiled."""
    if len(pattern) > _LONGEST:
        return f"has more than {_LONGEST} characters", "shorten it"
    if _CONTROL.search(pattern):
        return "holds a control character", "write it without"
    if found := _POSIX_CLASS.search(pattern):
        return f"has the class {found.group()}, which only Go knows", "write its characters, e.g. A-Za-z"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression ({error})", "correct it; '.*' stands for all"
    return None
