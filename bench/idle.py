"""What klamm's own processes hold and burn beside an idle cluster."""

import time
from pathlib import Path

from bench.by_hand import cpu_seconds
from bench.start import pids_of

SECONDS = 60.0
SETTLE = 10.0


def is_python(pid: int) -> bool:
    try:
        return b"python" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return False


def memory_kib(pid: int) -> int:
    """Proportional set size."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def title(pid: int) -> str:
    argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    programs = [
        word for word in argv if word in ("guardian", "supervisor", "relay") or word.startswith("klamm.programs.")
    ]
    return programs[0].removeprefix("klamm.programs.") if programs else argv[0]


def measure(environment: dict[str, str]) -> list[str]:
    time.sleep(SETTLE)
    pids = [pid for pid in pids_of(Path(environment["KLAMM_HOME"])) if is_python(pid)]
    before, started = {pid: cpu_seconds(pid) for pid in pids}, time.monotonic()
    time.sleep(SECONDS)
    elapsed = time.monotonic() - started
    lines, memory, cpu = [], 0, 0.0
    for pid in pids:
        kib, used = memory_kib(pid), cpu_seconds(pid) - before[pid]
        memory, cpu = memory + kib, cpu + used
        lines.append(f"  {title(pid):20} {kib / 1024:6.1f} MB  {used / elapsed:6.2%} of a core")
    lines.append(f"  {'all Python':20} {memory / 1024:6.1f} MB  {cpu / elapsed:6.2%} of a core   (goals 300 MB, 3 %)")
    return lines
