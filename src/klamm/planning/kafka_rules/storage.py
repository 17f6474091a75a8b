"""Rules for storage and for CPU and memory beyond what the schema can say."""

from collections.abc import Iterator

from klamm.base.quantities import parsed
from klamm.resources.custom.process import JvmOptions
from klamm.resources.custom.storage import Storage, Volume
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.reading import Problem

_SIZE_MEND = "write a size greater than 0, e.g. 10Gi"


def storage_problems(path: str, storage: Storage | None, *, jbod: bool) -> list[Problem]:
    """What is wrong with a storage; `jbod`: whether several volumes are possible (ZooKeeper has one)."""
    if storage is None or storage.type is None:
        kinds = "ephemeral, persistent-claim or jbod" if jbod else "ephemeral or persistent-claim"
        mend = f"write where the data is kept: {{type: {kinds}, …}}"
        return [Problem(path if storage is None else f"{path}.type", None, "is missing", mend)]
    if storage.type != "jbod":
        return list(_volume(path, storage))
    if not jbod:
        return [Problem(f"{path}.type", "jbod", "is for brokers only", "use persistent-claim or ephemeral")]
    return list(_jbod(path, storage))


def _jbod(path: str, storage: Storage) -> Iterator[Problem]:
    if not storage.volumes:
        yield Problem(f"{path}.volumes", None, "is empty", "add a volume, e.g. {id: 0, type: ephemeral}")
    ids = [volume.id for volume in storage.volumes]
    for index, volume in enumerate(storage.volumes):
        place = f"{path}.volumes[{index}]"
        if volume.id is None:
            yield Problem(f"{place}.id", None, "is missing", "give each volume of a JBOD its own number from 0")
        elif ids.index(volume.id) < index:
            yield Problem(f"{place}.id", volume.id, "is given twice", "give each volume its own number")
        if volume.type == "jbod":
            yield Problem(f"{place}.type", "jbod", "cannot be inside a JBOD", "use persistent-claim or ephemeral")
        else:
            yield from _volume(place, volume)


def _volume(path: str, volume: Volume) -> Iterator[Problem]:
    if volume.type not in ("ephemeral", "persistent-claim"):
        yield Problem(f"{path}.type", volume.type, "is no storage", "choose ephemeral or persistent-claim")
    if volume.type == "persistent-claim":
        size = parsed(volume.size or "")
        if size is None or size <= 0:
            rule = "is missing" if volume.size is None else "is no size"
            yield Problem(f"{path}.size", volume.size, rule, _SIZE_MEND)
    limit = parsed(volume.size_limit) if volume.size_limit is not None else None
    if volume.size_limit is not None and (limit is None or limit <= 0):
        yield Problem(f"{path}.sizeLimit", volume.size_limit, "is no size", _SIZE_MEND)


def resource_problems(path: str, resources: ResourceRequirements | None) -> list[Problem]:
    """Requests and limits: readable, above 0, and no request above its limit."""
    if resources is None:
        return []
    found = []
    for kind, values in (("requests", resources.requests), ("limits", resources.limits)):
        for name, value in values.items():
            amount = parsed(value)
            if amount is None or amount <= 0:
                mend = "write a quantity greater than 0, e.g. 500m or 2Gi"
                found.append(Problem(f"{path}.{kind}.{name}", value, "is no amount", mend))
    for name, value in resources.requests.items():
        request, limit = parsed(value), parsed(resources.limits.get(name, value))
        if request is not None and limit is not None and request > limit:
            rule = f"is more than the limit {resources.limits[name]}"
            found.append(Problem(f"{path}.requests.{name}", value, rule, "raise the limit or lower the request"))
    return found


def heap_problems(path: str, options: JvmOptions | None) -> list[Problem]:
    """A JVM with a start heap above its largest heap does not start."""
    if options is None or options.xms is None or options.xmx is None:
        return []
    start, most = _bytes(options.xms), _bytes(options.xmx)
    if start is None or most is None or start <= most:
        return []
    return [Problem(f"{path}.-Xms", options.xms, f"is more than -Xmx {options.xmx}", "lower -Xms or raise -Xmx")]


def _bytes(size: str) -> int | None:
    """A JVM's size: `512m`, `2G`, plain bytes."""
    number, factor = (size[:-1], {"k": 10, "m": 20, "g": 30}.get(size[-1:].lower()))
    if factor is None:
        number, factor = size, 0
    return int(number) << factor if number.isdigit() else None
