"""`jvmOptions` as environment variables, which the launch scripts of the images understand.

Values stay data all the way: the scripts split them into words and hand them to java, they are never evaluated.
"""

from dataclasses import dataclass

from klamm.resources.custom.process import JvmOptions
from klamm.resources.native.container import EnvVar, ResourceRequirements

# A small heap at the start, growing by need: without a memory limit there is no share of it to take.
_SMALL_HEAP = "-Xms128M"


@dataclass(frozen=True, slots=True)
class HeapShare:
    """The heap of a container with a memory limit: so many percent of it, at most so many bytes."""

    percentage: int
    most: int


KAFKA_HEAP = HeapShare(50, 5 * 1024**3)
ZOOKEEPER_HEAP = HeapShare(75, 2 * 1024**3)


def jvm_environment(
    options: JvmOptions | None, resources: ResourceRequirements | None, share: HeapShare
) -> list[EnvVar]:
    """Heap, garbage collection log, `-XX` options and system properties of a Kafka or ZooKeeper process."""
    options = options or JvmOptions()
    variables = [EnvVar(name="STRIMZI_KAFKA_GC_LOG_ENABLED", value=str(bool(options.gc_logging_enabled)).lower())]
    variables += _heap(options, resources, share)
    if options.java_system_properties:
        properties = " ".join(f"-D{p.name}={p.value or ''}" for p in options.java_system_properties if p.name)
        variables.append(EnvVar(name="STRIMZI_JAVA_SYSTEM_PROPERTIES", value=properties))
    if options.xx:
        flags = " ".join(_flag(name, str(value)) for name, value in options.xx.items())
        variables.append(EnvVar(name="KAFKA_JVM_PERFORMANCE_OPTS", value=flags))
    return variables


def _heap(options: JvmOptions, resources: ResourceRequirements | None, share: HeapShare) -> list[EnvVar]:
    """Explicit sizes win; else a share of the memory; else a small start."""
    sizes = [f"-Xms{options.xms}"] if options.xms else []
    variables = []
    if options.xmx:
        sizes.append(f"-Xmx{options.xmx}")
    elif resources and ("memory" in resources.limits or "memory" in resources.requests):
        variables = [
            EnvVar(name="STRIMZI_DYNAMIC_HEAP_PERCENTAGE", value=str(share.percentage)),
            EnvVar(name="STRIMZI_DYNAMIC_HEAP_MAX", value=str(share.most)),
        ]
    elif not sizes:
        sizes = [_SMALL_HEAP]
    return variables + ([EnvVar(name="KAFKA_HEAP_OPTS", value=" ".join(sizes))] if sizes else [])


def _flag(name: str, value: str) -> str:
    if value.lower() in ("true", "false"):
        return f"-XX:{'+' if value.lower() == 'true' else '-'}{name}"
    return f"-XX:{name}={value}"
