"""Configuration values as several pages show them."""

from collections.abc import Mapping

import msgspec

from klamm.kafka.facts import ConfigValue


class ConfigEntry(msgspec.Struct, frozen=True, rename="camel"):
    """`value`: None when the broker does not tell it (passwords)."""

    name: str
    value: str | None
    set_here: bool
    read_only: bool
    sensitive: bool


class ConfigList(msgspec.Struct, frozen=True):
    entries: tuple[ConfigEntry, ...]


class ConfigWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys that are not named stay as they are; `delete`: back to the default."""

    set: dict[str, str] = {}
    delete: tuple[str, ...] = ()


def config_list(values: Mapping[str, ConfigValue]) -> ConfigList:
    return ConfigList(
        tuple(
            ConfigEntry(name, None if one.sensitive else one.value, one.set_here, one.read_only, one.sensitive)
            for name, one in sorted(values.items())
        )
    )
