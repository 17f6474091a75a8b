"""What processes have used, read from /proc."""

import os
import subprocess
import sys

from klamm.localkube.node.usage import usage_of

READY = "import sys, time\nprint('ready', flush=True)\nsys.stdin.read()"


def test_a_process_and_all_below_it_are_counted_together() -> None:
    child = subprocess.Popen([sys.executable, "-c", READY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        used = usage_of([os.getpid(), child.pid])
        seconds, memory = used[os.getpid()]
        assert memory > used[child.pid][1] > 1 << 20
        assert seconds >= used[child.pid][0]
    finally:
        child.communicate(b"")


def test_a_process_that_is_gone_is_left_out() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert usage_of([child.pid]) == {}
