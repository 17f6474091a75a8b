"""Faults sorted by what the caller does next.

Each door has an error tree of its own (`kube/errors.py`, `kafka/errors.py`). What the loop needs to know is the
same for all of them, so the classes in those trees also inherit one of these two:

    Transient   the world was not ready: back off and try again; nobody has to do anything
    Invalid     the user must change something: say what, and wait for it

Any other exception that reaches the loop is our bug: it is logged with its stack, and tried again with back-off,
because the cause may be an input that goes away.
"""


class Transient(Exception):
    """May go away by itself. `retry_after` is the other side's wish in seconds, when it told one."""

    retry_after: float | None = None


class Invalid(Exception):
    """Stays until the user changes it. The message names field, value, rule and mend."""
