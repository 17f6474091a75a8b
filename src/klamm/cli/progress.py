"""Progress of downloads: a bar on a terminal, a line now and then elsewhere."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from klamm.distribution.progress import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID


class Reporter:
    """A context manager; `show` takes each news. rich is imported with the first of them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._bars: Any = None
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, news: Progress) -> None:
        if self._out.isatty():
            self._draw(news)
        else:
            self._tell(news)

    def _draw(self, news: Progress) -> None:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, TextColumn
            from rich.progress import Progress as Bars

            self._bars = Bars(
                TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(file=self._out)
            )
            self._bars.start()
        task = self._tasks.get(news.step)
        if task is None:
            task = self._tasks[news.step] = self._bars.add_task(news.step, total=news.total)
        self._bars.update(task, completed=news.done, total=news.total)

    def _tell(self, news: Progress) -> None:
        """Each quarter once: a log is no place for a bar."""
        quarter = 4 * news.done // news.total if news.total else 4
        if self._told.get(news.step) != quarter:
            self._told[news.step] = quarter
            print(f"{news.step}: {25 * quarter} %", file=self._out, flush=True)
