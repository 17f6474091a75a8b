"""Statistics of a topic's messages: a scan is started, watched, ended."""

import msgspec

from klamm.console.access.rights import Right
from klamm.console.problems import Problem, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.console.topics.statistics import Statistics

_SEE = Right("topic", "analysis_view", of="topic")
_RUN = Right("topic", "analysis_run", of="topic")


class AnalysisView(msgspec.Struct, frozen=True, rename="camel"):
    """`state`: none, running, done, failed or cancelled. `total`, `passed`: offsets. Times in milliseconds since 1970.
    `unreadable`: batches that are broken."""

    state: str
    total: int = 0
    passed: int = 0
    messages: int = 0
    unreadable: int = 0
    begun: int | None = None
    ended: int | None = None
    why: str | None = None
    result: Statistics | None = None


async def analysis(call: Call[NoQuery, None]) -> AnalysisView:
    found = call.place.analyses.of(call.path["topic"])
    if found is None:
        return AnalysisView("none")
    return AnalysisView(
        state=found.state,
        total=found.total,
        passed=found.passed,
        messages=found.result.messages if found.result else found.counting.messages,
        unreadable=found.unreadable,
        begun=found.begun,
        ended=found.ended,
        why=found.why,
        result=found.result,
    )


async def start(call: Call[NoQuery, None]) -> None:
    name = call.path["topic"]
    if name not in await (await call.place.admin()).describe_topics([name]):
        raise not_found("topic", name)
    call.place.analyses.start(name)


async def cancel(call: Call[NoQuery, None]) -> None:
    name = call.path["topic"]
    if not await call.place.analyses.cancel(name):
        raise Problem(409, "NotRunning", f"topic {name} is not being analysed")


_PATH = "/api/clusters/{cluster}/topics/{topic}/analysis"
ROUTES = (
    Route("GET", _PATH, analysis, "Statistics of a topic's messages, or how far they are", _SEE, answer=AnalysisView),
    Route("POST", _PATH, start, "Begin to look at all messages of a topic", _RUN),
    Route("DELETE", _PATH, cancel, "End that", _RUN),
)
