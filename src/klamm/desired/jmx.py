"""The Secret with the name and password of a JMX port (`jmxOptions.authentication`): `<component>-jmx`."""

from base64 import b64decode
from collections.abc import Callable

from klamm.desired.labels import Component
from klamm.desired.secrets import encoded
from klamm.desired.templates import metadata
from klamm.resources.native.configuration import Secret
from klamm.resources.native.metadata import OwnerReference

USERNAME, PASSWORD = "jmx-username", "jmx-password"


def jmx_secret_name(component: Component) -> str:
    return f"{component.name}-jmx"


def jmx_secret(
    component: Component,
    namespace: str,
    owner: OwnerReference,
    stored: Secret | None,
    new_password: Callable[[], str],
) -> Secret:
    """What is stored stays: running pods know it."""
    kept = {key: b64decode(value) for key, value in (stored.data if stored else {}).items()}
    data = {key: kept.get(key) or new_password().encode() for key in (USERNAME, PASSWORD)}
    place = metadata(component, jmx_secret_name(component), namespace, owner)
    return Secret(metadata=place, type="Opaque", data=encoded(data))
