"""Errors for the person at the terminal, and the exit codes that scripts trust.

Mistake      2   the command or a file is wrong: what, where, and the mend
Impossible   3   this machine cannot (no user namespaces, disk full, port in use)
Unfinished   4   it was tried, and the end was not reached in time; what it waits for is in the message
NotFound     5   the thing asked for does not exist
NotRunning   6   there is no running cluster in this home
"""


class Complaint(Exception):
    """Printed as one sentence or a few, without a stack. `exit_code` is the process's."""

    exit_code = 1


class Mistake(Complaint):
    exit_code = 2


class Impossible(Complaint):
    exit_code = 3


class Unfinished(Complaint):
    exit_code = 4


class NotFound(Complaint):
    exit_code = 5


class NotRunning(Complaint):
    exit_code = 6
