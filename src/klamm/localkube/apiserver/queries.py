"""What the words of a query mean. Source: apimachinery's conversion of url.Values (pkg/runtime/conversion.go)."""

from collections.abc import Mapping

from klamm.localkube.apiserver import statuses


def flag(query: Mapping[str, str], name: str) -> bool:
    """`name`, `name=` and any word but `0` and `false` say yes; so says Kubernetes of every option of an API call."""
    text = query.get(name)
    return text is not None and text.lower() not in ("0", "false")


def number(query: Mapping[str, str], name: str) -> int | None:
    """None when the query does not say; what is no whole number, and nothing after `name=`, is refused."""
    text = query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(statuses.no_number(text)) from error
