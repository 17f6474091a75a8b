"""A Kubernetes that tests type commands at, whichever it is: localkube in a home, or a real one.

Every wait is `until("words", condition)`: it polls, and when its time is over it fails with those words, with what the
cluster looks like, and with the folder where all logs were put.
"""

import errno
import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import tempfile
import termios
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from klamm.base.clock import SystemClock
from klamm.localkube.node.terminals import rest_of_terminal

Found = TypeVar("Found")
Object = dict[str, Any]

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"

CLOCK = SystemClock()
COMMAND_WITHIN = 180.0
"""Seconds for one command; Kafka's tools are JVMs."""
PAUSE = 0.25
"""Seconds between two looks at a condition."""
READY_WITHIN = 300.0
"""Seconds that a cluster may take on a machine that does much else; what it took is printed."""
GONE_WITHIN = 300.0


class Cluster:
    """`environment`: of every command. `uid`: who types them, None for whoever runs pytest."""

    def __init__(self, environment: Mapping[str, str], uid: int | None = None) -> None:
        self.environment = dict(environment)
        self._uid = uid

    # What differs

    @abstractmethod
    def install_operator(self) -> None:
        """What brings the cluster operator into the namespace `kafka`, which is there."""

    @abstractmethod
    def uninstall_operator(self) -> None:
        """What a person does who wants no operator any more."""

    @abstractmethod
    def logs(self) -> Mapping[str, Path]:
        """Folders with logs, which are kept after a failure under these names."""

    @abstractmethod
    def most_telling_logs(self) -> Iterable[Path]:
        """Those whose last lines belong into a failure's message."""

    # Commands

    def kubectl(self, *arguments: str, exit_code: int = 0, within: float = COMMAND_WITHIN, given: str = "") -> str:
        return self._output(["kubectl", *arguments], exit_code, within, given)

    def typed(self, line: str, *, exit_code: int = 0, within: float = COMMAND_WITHIN, given: str = "") -> str:
        """What a person sees who types this line in examples/."""
        return self._output(["bash", "-o", "pipefail", "-c", line], exit_code, within, given)

    def typed_in_terminal(self, line: str, *, within: float = COMMAND_WITHIN, given: str = "") -> str:
        """The same with a terminal of 24 rows and 80 columns; `given` is what is typed after the line."""
        code, text = _in_terminal(["bash", "-c", line], self.environment, given, within)
        assert code == 0, f"$ {line}\n{text}\nended with {code}{self.story()}"
        return text

    def started(self, *argv: str) -> "subprocess.Popen[str]":
        """A command that runs until whoever started it ends it."""
        return self._start(argv, self.environment)

    def _output(self, argv: Sequence[str], exit_code: int, within: float, given: str = "") -> str:
        process = self._start(argv, self.environment)
        try:
            output, _ = process.communicate(given, timeout=within)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"{_shown(argv)}: no end after {within:g} s\n{output}{self.story()}") from None
        if process.returncode != exit_code:
            raise AssertionError(f"{_shown(argv)}\n{output}\nended with {process.returncode}{self.story()}")
        return output

    def _start(self, argv: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            argv,
            cwd=EXAMPLES,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=self._uid,
            group=self._uid,
            extra_groups=None if self._uid is None else [],
        )

    # Objects

    def objects(self, *what: str) -> list[Object]:
        """`kubectl get …` of several objects; empty when there is none."""
        listed: Object = json.loads(self.kubectl("get", *what, "-o", "json"))
        items: list[Object] = listed["items"]
        return items

    def found(self, *what: str) -> Object | None:
        """One object, None when it is not there; also None while the API does not answer."""
        process = self._start(["kubectl", "get", *what, "-o", "json", "--ignore-not-found"], self.environment)
        output, _ = process.communicate(timeout=COMMAND_WITHIN)
        if process.returncode or not output.strip():
            return None
        found: Object = json.loads(output)
        return found

    def pods(self, namespace: str = "kafka") -> dict[str, Object]:
        """By name; empty while the API does not answer."""
        listed = self.found("pods", "-n", namespace) or {"items": []}
        return {pod["metadata"]["name"]: pod for pod in listed["items"]}

    # Waiting

    def until(
        self,
        what: str,
        condition: Callable[[], Found | None],
        *,
        within: float = READY_WITHIN,
        telling: Callable[[], str] = str,
    ) -> Found:
        """What `condition` finds (neither None nor False) in the end.

        Fails by name, with what `telling` tells and with the cluster's story.
        """
        begun = CLOCK.monotonic()
        while not (found := condition()):
            if CLOCK.monotonic() - begun > within:
                raise AssertionError(f"not within {within:g} s: {what}\n{telling()}{self.story()}")
            pause()
        print(f"{CLOCK.monotonic() - begun:6.1f} s until {what}")
        return found

    def until_ready(self, name: str = "my-cluster", *, within: float = READY_WITHIN) -> None:
        """Kafka is Ready, of its newest generation, and so is every pod of the namespace."""
        self.until(f"Kafka {name} is Ready, and every pod", lambda: self.reason_not_ready(name) is None, within=within)

    def reason_not_ready(self, name: str = "my-cluster") -> str | None:
        kafka = self.found("kafka", name, "-n", "kafka")
        if kafka is None:
            return "there is no such Kafka, or the API does not answer"
        status = kafka.get("status", {})
        if status.get("observedGeneration") != kafka["metadata"]["generation"]:
            return "not looked at"
        if not is_true(kafka, "Ready"):
            return f"conditions {status.get('conditions')}"
        return next((f"pod {name}" for name, pod in self.pods().items() if not is_ready_pod(pod)), None)

    # Stories

    def story(self) -> str:
        """What the cluster looks like now, for an assertion's message; all logs go to a folder named in it."""
        shown = []
        for line in (
            "kubectl get kafka,pod -A -o wide",
            "kubectl get kafka -A -o jsonpath='{.items[*].status.conditions}'",
            "kubectl get events -A --sort-by=.lastTimestamp | tail -n 12",
        ):
            shown.append(f"$ {line}\n{self._attempt(line)}")
        for path in self.most_telling_logs():
            lines = path.read_text(errors="replace").splitlines()[-12:] if path.exists() else ["(none)"]
            shown.append("\n".join([f"# {path.name}", *lines]))
        operator = "kubectl logs deploy/strimzi-cluster-operator -n kafka --tail=15"
        shown.append(f"$ {operator}\n{self._attempt(operator)}")
        return f"\n\nall logs: {self.keep_logs()}\n" + "\n".join(shown)

    def keep_logs(self) -> Path:
        """A copy of every log, and of every object, that stays when the cluster goes."""
        folder = Path(tempfile.mkdtemp(prefix="klamm-failed-"))
        for name, log in self.logs().items():
            if log.exists():
                shutil.copytree(log, folder / name, symlinks=True, ignore_dangling_symlinks=True)
        what = "kafkas,kafkatopics,kafkausers,strimzipodsets,all,pvc,pv,cm,endpointslices,events,nodes"
        (folder / "objects.yaml").write_text(self._attempt(f"kubectl get {what} -A -o yaml"))
        return folder

    def _attempt(self, line: str) -> str:
        process = self._start(["bash", "-c", line], self.environment)
        try:
            return process.communicate(timeout=20)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0] + "(no end after 20 s)"


def pause(seconds: float = PAUSE) -> None:
    """Between two looks at a named condition."""
    threading.Event().wait(seconds)


def is_true(obj: Object, condition: str) -> bool:
    conditions = obj.get("status", {}).get("conditions", [])
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def is_ready_pod(pod: Object) -> bool:
    return is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]


def restarts_of(pod: Object) -> int:
    return sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))


def _shown(argv: Sequence[str]) -> str:
    return f"$ {argv[-1]}" if argv[0] == "bash" else f"$ {' '.join(argv)}"


def _in_terminal(argv: Sequence[str], environment: Mapping[str, str], given: str, within: float) -> tuple[int, str]:
    """(exit code, everything on the screen)"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        argv,
        cwd=EXAMPLES,
        env={**environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    timer = threading.Timer(within, process.kill)
    timer.start()
    try:
        os.write(ours, given.encode())
        screen = b"".join(iter(lambda: _read_terminal(ours), b""))
        return process.wait(), screen.decode(errors="replace")
    finally:
        timer.cancel()
        os.close(ours)


def _read_terminal(fd: int) -> bytes:
    try:
        return os.read(fd, 1 << 16)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return rest_of_terminal(fd)  # its last holder closed it
