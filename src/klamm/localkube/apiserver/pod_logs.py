"""GET pods/NAME/log: the query's rules, and a log sent as it comes."""

from collections.abc import Mapping

from aiohttp import web

from klamm.localkube.apiserver import pod_places, statuses
from klamm.localkube.apiserver.queries import flag, number
from klamm.localkube.apiserver.statuses import Cause
from klamm.localkube.objects import LogOptions, Object, Streams
from klamm.localkube.times import seconds_of


async def serve(request: web.Request, streams: Streams, pod: Object) -> web.StreamResponse:
    metadata, query = pod["metadata"], request.query
    options = options_of(query, metadata["name"])
    container = pod_places.name_of(pod, query.get("container"))
    if not pod["spec"].get("nodeName"):
        return web.Response(status=204)
    chunks = streams.logs(metadata["namespace"], metadata["name"], container, options)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    async for chunk in chunks:
        await response.write(chunk)
    await response.write_eof()
    return response


def options_of(query: Mapping[str, str], pod: str) -> LogOptions:
    options = LogOptions(
        follow=flag(query, "follow"),
        previous=flag(query, "previous"),
        timestamps=flag(query, "timestamps"),
        tail_lines=number(query, "tailLines"),
        since_seconds=number(query, "sinceSeconds"),
        since_time=_time(query, "sinceTime"),
        limit_bytes=number(query, "limitBytes"),
    )
    causes = _broken_rules(options)
    if causes:
        raise statuses.invalid("", "PodLogOptions", pod, causes)
    return options


def _broken_rules(options: LogOptions) -> list[Cause]:
    causes = []
    if options.tail_lines is not None and options.tail_lines < 0:
        causes.append(statuses.invalid_value("tailLines", options.tail_lines, "must be greater than or equal to 0"))
    if options.limit_bytes is not None and options.limit_bytes < 1:
        causes.append(statuses.invalid_value("limitBytes", options.limit_bytes, "must be greater than 0"))
    if options.since_seconds is not None and options.since_time is not None:
        text = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(statuses.forbidden_value("[]", text))
    elif options.since_seconds is not None and options.since_seconds < 1:
        causes.append(statuses.invalid_value("sinceSeconds", options.since_seconds, "must be greater than 0"))
    return causes


def _time(query: Mapping[str, str], name: str) -> str | None:
    text = query.get(name)
    if not text:
        return None
    try:
        seconds_of(text)
    except ValueError as error:
        raise statuses.bad_request(f"{name}: {text!r} is no time such as 2026-03-01T12:00:00Z") from error
    return text
