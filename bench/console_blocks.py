"""`klamm` with a watch on its event loop: which step kept the others waiting longest, on its own CPU time.

`python -m bench.console_blocks FILE ui …`: the longest steps go to FILE as JSON when it ends. Time on the CPU, for what
else this machine does must not count; a second thread looks where a long step is.
"""

import asyncio
import gc
import json
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from klamm.programs import klamm

LONG = 0.02
_KEPT = 40
_LOOK_EVERY = 0.01


class Watch:
    def __init__(self) -> None:
        self.longest: list[tuple[float, float, float, str]] = []
        """CPU seconds, seconds, when, where."""
        self._since: float | None = None
        self._where = ""
        self._collecting = 0.0
        self._main = threading.get_ident()

    def begin(self) -> None:
        gc.callbacks.append(self._collected)
        handle = asyncio.events.Handle
        run = handle._run

        def watched(one: asyncio.Handle) -> None:
            begun, cpu = time.monotonic(), time.thread_time()
            self._where, self._since = "", begun
            try:
                run(one)
            finally:
                self._since = None
                took = time.thread_time() - cpu
                if took > LONG:
                    where = self._where or repr(getattr(one, "_callback", one))[:200]
                    self.longest.append((took, time.monotonic() - begun, begun, where))

        handle._run = watched  # type: ignore[method-assign,assignment]
        threading.Thread(target=self._look, daemon=True).start()

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        """The garbage collector holds everybody up, whichever thread it runs in."""
        if phase == "start":
            self._collecting = time.thread_time()
        elif (took := time.thread_time() - self._collecting) > LONG:
            where = f"garbage, generation {info['generation']}, in {threading.current_thread().name}"
            self.longest.append((took, took, time.monotonic(), where))

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY)
            if self._since is not None and time.monotonic() - self._since > LONG:
                self._where = _told(sys._current_frames().get(self._main))


def _told(frame: FrameType | None) -> str:
    """The innermost frames that are ours."""
    found: list[str] = []
    while frame is not None and len(found) < 4:
        name = frame.f_code.co_filename
        if "/klamm/" in name:
            found.append(f"{name.rpartition('/klamm/')[2]}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def main() -> int:
    file, *arguments = sys.argv[1:]
    watch = Watch()
    watch.begin()
    code = klamm.main(arguments)
    Path(file).write_text(json.dumps(sorted(watch.longest, reverse=True)[:_KEPT]))
    return code


if __name__ == "__main__":
    sys.exit(main())
