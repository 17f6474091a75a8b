"""Class-data archives: parsed, verified classes in one file that every JVM of a Kafka release maps.

One static archive per Kafka release and Java holds what a broker, a ZooKeeper server and the common tools load, TLS
with PEM stores included, so all JVMs of a machine share its pages. It is made in two moves:

1. *Trained*: ZooKeeper, a broker and a few tools run for a moment in a private folder, on ports that the kernel chose
   on the loopback, and write the names of the classes that they load (`-XX:DumpLoadedClassList`).
2. *Dumped*: `-Xshare:dump` lays those classes down.

A static archive was chosen over a dynamic one (`-XX:ArchiveClassesAtExit`) because the wheel's Java has no base
archive that a dynamic one could stand on, and one file replaces two.

The archive holds for exactly one Java and one class path. Since JDK 19 the path may lie elsewhere as long as its tail
is the same (`.../libs/a.jar:.../libs/b.jar`), so an archive made in the store serves the same home bound at /opt/kafka;
with Java 17 and 18 it would not, and none is made. But the JVM still looks for the jars where they were when the
archive was made, to compare sizes and dates; so they are linked beside the archive, and images show that folder at its
own path too. The JVM goes on without an archive that does not fit.

Training needs no network beyond the loopback and leaves nothing behind. When it fails, Kafka runs without an archive,
only slower: callers may log the `ArchiveFailed` and go on.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from klamm.base.clock import Clock
from klamm.distribution.homes import KafkaHome
from klamm.distribution.java import JavaHome
from klamm.distribution.progress import Progress, Report
from klamm.distribution.store import Store

if TYPE_CHECKING:
    from klamm.distribution import training

OLDEST_RELOCATABLE = 19
"""The first Java whose archives hold for the same jars at another place (JDK-8279366)."""

COLLECTOR = "-XX:+UseSerialGC"
FAST_START = (
    COLLECTOR,
    "-XX:TieredStopAtLevel=1",
    "-XX:CompileThresholdScaling=3",
    "-XX:-UsePerfData",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",
    "-XX:ArchiveRelocationMode=0",
)
"""What JVMs of a machine's own clusters run with: little memory and CPU at start rather than most throughput.

Scala's serializable lambdas cannot be archived, so a broker spins some 600 classes at start. Not verifying those, and
compiling only what runs hot, each saves a tenth of a broker's start; the jars were checked against their pins.
An archive that is mapped where it was made for needs no patching of its pointers, which costs CPU and turns pages that
all JVMs could share into private ones; what is given up is one layer of address randomization.
"""

START_SECONDS = 90.0
DUMP_SECONDS = 120.0


class ArchiveFailed(Exception):
    """No archive could be made; the message says which step failed and ends with what the process wrote."""


def archive_path(home: KafkaHome, java: JavaHome) -> Path:
    """Where the archive of this home for this Java is, or would be."""
    return home.archives / f"{java.key}.jsa"


async def prepare_archive(store: Store, home: KafkaHome, java: JavaHome, clock: Clock, report: Report) -> Path | None:
    """Make the archive unless it is there. None when this Java's archives cannot be moved.

    Takes some ten seconds of CPU, once per release and Java; other processes that ask meanwhile wait for this one.
    Raises `ArchiveFailed`, `StoreBusy`.
    """
    target = archive_path(home, java)
    if target.exists():
        return target
    if java.major < OLDEST_RELOCATABLE:
        return None
    async with store.locked(f"archive-{home.archives.name}", clock):
        if not target.exists():
            await _make(home, java, clock, report, target)
    return target


async def _make(home: KafkaHome, java: JavaHome, clock: Clock, report: Report, target: Path) -> None:
    step = f"Kafka {home.kafka}: class archive"
    target.parent.mkdir(parents=True, exist_ok=True)
    # On the store's disk: a tmpfs /tmp may be too small for a broker's first files.
    with tempfile.TemporaryDirectory(prefix=".training-", dir=target.parent) as folder:
        work = Path(folder)
        report(Progress(step, 0, 3, "starting Kafka to see what it loads"))
        lists = await _train(home, java, clock, work)
        report(Progress(step, 1, 3, "writing"))
        classes = work / "classes.list"
        classes.write_text("\n".join(merged(path.read_text(errors="replace") for path in lists)) + "\n")
        await _dump(home, java, clock, work, classes)
        report(Progress(step, 2, 3, "putting in place"))
        os.chmod(work / "classes.jsa", 0o444)
        os.replace(work / "classes.jsa", target)
        report(Progress(step, 3, 3))


def merged(lists: Iterable[str]) -> list[str]:
    """Class lists of several JVMs as one: without their numbering, which would clash, each line once.

    Lines with `source:` name classes of custom class loaders by these numbers and are left out.
    """
    lines: dict[str, None] = {}
    for text in lists:
        for line in text.splitlines():
            if line and not line.startswith("#") and "source:" not in line:
                lines[line.partition(" id: ")[0]] = None
    return list(lines)


async def _train(home: KafkaHome, java: JavaHome, clock: Clock, work: Path) -> list[Path]:
    # It issues certificates: only who makes an archive pays for importing cryptography.
    from klamm.distribution import training

    plan = training.prepare(home, work, clock.now())
    environment = _environment(java, work)
    lists: list[Path] = []
    for command in plan.before:
        await _run_tool(home, command, environment, work, lists)
    async with _servers(home, plan.servers, environment, work, lists, clock):
        for command in plan.tools:
            await _run_tool(home, command, environment, work, lists)
    return [path for path in lists if path.exists()]


async def _run_tool(
    home: KafkaHome, command: Sequence[str], environment: Mapping[str, str], work: Path, lists: list[Path]
) -> None:
    listed = work / f"tool-{len(lists)}.list"
    lists.append(listed)
    program = (str(home.path / "bin" / command[0]), *command[1:])
    await _run(program, {**environment, "KAFKA_OPTS": _listing(listed)}, listed.with_suffix(".log"), START_SECONDS)


@asynccontextmanager
async def _servers(
    home: KafkaHome,
    servers: "Sequence[training.Server]",
    environment: Mapping[str, str],
    work: Path,
    lists: list[Path],
    clock: Clock,
) -> AsyncIterator[None]:
    """Start the servers in order, each when the one before is up; end them all, at once when nobody wants their lists
    any more: who stops a cluster waits for it."""
    processes: list[asyncio.subprocess.Process] = []
    try:
        for server in servers:
            listed = work / f"{server.name}.list"
            lists.append(listed)
            log = work / f"{server.name}.log"
            process = await _start(
                (str(home.path / "bin/kafka-run-class.sh"), *server.command),
                {**environment, **server.environment, "KAFKA_OPTS": _listing(listed)},
                log,
            )
            processes.append(process)
            await _until_logged(process, log, server, clock)
        yield
        for process in reversed(processes):
            await _end(process)
    finally:
        for process in reversed(processes):
            await _kill(process)


def _environment(java: JavaHome, work: Path) -> dict[str, str]:
    """Nothing of the caller's: a KAFKA_OPTS of the user must not end up in the archive."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "JAVA_HOME": str(java.path),
        "KLAMM_CLASS_ARCHIVE": "/dev/null/none",
        "KAFKA_HEAP_OPTS": "-Xmx256M",
        "KAFKA_JVM_PERFORMANCE_OPTS": " ".join(FAST_START),
        "LOG_DIR": str(work / "logs"),
    }


def _listing(path: Path) -> str:
    return f"-XX:DumpLoadedClassList={path}"


async def _dump(home: KafkaHome, java: JavaHome, clock: Clock, work: Path, classes: Path) -> None:
    flags = [COLLECTOR, "-Xshare:dump", f"-XX:SharedClassListFile={classes}"]
    class_path = _class_path(home)
    command = (str(java.path / "bin/java"), *flags, f"-XX:SharedArchiveFile={work / 'classes.jsa'}", "-cp", class_path)
    await _run(command, {}, work / "dump.log", DUMP_SECONDS)
    if not (work / "classes.jsa").exists():
        raise ArchiveFailed(f"dumping classes of Kafka {home.kafka}: no archive came out; {_tail(work / 'dump.log')}")


def _class_path(home: KafkaHome) -> str:
    """The list that kafka-run-class.sh reads, with the jars beside the archive."""
    text = (home.path / "libs/class-path.sh").read_text().partition("class_path=")[2].strip()
    class_path = text.replace("$libs", str(home.archives / "libs"))
    # A jar that is not there would be passed over, and an archive of Java's own classes come out.
    if absent := [jar for jar in class_path.split(":") if not os.path.exists(jar)]:
        raise ArchiveFailed(f"dumping classes of Kafka {home.kafka}: {absent[0]} is missing; provide it anew")
    return class_path


async def _start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> asyncio.subprocess.Process:
    with log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )


async def _run(command: Sequence[str], environment: Mapping[str, str], log: Path, seconds: float) -> None:
    process = await _start(command, environment, log)
    try:
        async with asyncio.timeout(seconds):
            code = await process.wait()
    except TimeoutError:
        raise ArchiveFailed(f"{Path(command[0]).name} did not end in {seconds:.0f} s; {_tail(log)}") from None
    finally:
        await _kill(process)
    if code != 0:
        raise ArchiveFailed(f"{Path(command[0]).name} ended with {code}; {_tail(log)}")


async def _until_logged(
    process: asyncio.subprocess.Process, log: Path, server: "training.Server", clock: Clock
) -> None:
    deadline = clock.monotonic() + START_SECONDS
    while not _says(log, server.started):
        if process.returncode is not None:
            raise ArchiveFailed(f"{server.name} ended with {process.returncode} while it started; {_tail(log)}")
        if clock.monotonic() > deadline:
            raise ArchiveFailed(f"{server.name} was not up after {START_SECONDS:.0f} s; {_tail(log)}")
        await asyncio.sleep(0.1)


async def _end(process: asyncio.subprocess.Process) -> None:
    """It writes its list as it ends."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(15):
            await process.wait()
    except TimeoutError:
        await _kill(process)


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _says(log: Path, words: str) -> bool:
    return words in log.read_text(errors="replace")


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "it wrote nothing"
    return "it wrote: " + " / ".join(lines[-5:]) if lines else "it wrote nothing"


def forget(home: KafkaHome, java: JavaHome) -> None:
    """Remove the archive, so that the next `prepare_archive` makes it anew."""
    archive_path(home, java).unlink(missing_ok=True)
    for leftover in home.archives.glob(".training-*"):
        shutil.rmtree(leftover, ignore_errors=True)
