"""Requests that describe the newer types of groups, made by the library's own machinery from schemas of ours."""

from kafka.protocol.api_message import ApiMessage

from klamm.kafka import schemas


class ConsumerGroupDescribeRequest(ApiMessage, load_json=schemas):  # type: ignore[call-arg,misc]
    pass


class ConsumerGroupDescribeResponse(ApiMessage, load_json=schemas):  # type: ignore[call-arg,misc]
    pass


class ShareGroupDescribeRequest(ApiMessage, load_json=schemas):  # type: ignore[call-arg,misc]
    pass


class ShareGroupDescribeResponse(ApiMessage, load_json=schemas):  # type: ignore[call-arg,misc]
    pass
