"""What users add to objects through templates, and numbers and images anywhere: rules over the whole specification.

The schema leaves labels, annotations, environment and volumes open. Kubernetes checks them only when the objects are
made, one after another, and for pods only in the act; here they are told at once, with their place in the resource.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from klamm.desired.labels import DOMAIN
from klamm.planning.kafka_rules.remark import Remark
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.template import ContainerTemplate, EnvVar, MetadataTemplate, PodTemplate
from klamm.resources.native.container import VolumeMount
from klamm.resources.reading import Problem
from klamm.resources.structure import Block

_PREFIX = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME_PART = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(_PREFIX)
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_VOLUME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")

_LONGEST_ANNOTATIONS = 256 * 1024
_LARGEST = 2**31 - 1
"""Kubernetes keeps most numbers in 32 bits; a larger one would be refused where it is used."""

_MOUNTS = "/mnt"

Found = tuple[str, Block]


def addition_problems(kafka: Kafka) -> list[Problem]:
    found: list[Problem] = []
    for path, block in blocks_below(kafka.spec, "spec"):
        found += _numbers(path, block)
        found += _image(path, block)
        if isinstance(block, MetadataTemplate):
            found += [
                *label_problems(f"{path}.labels", block.labels),
                *_annotations(f"{path}.annotations", block.annotations),
            ]
        elif isinstance(block, PodTemplate):
            found += _volumes(path, block)
        elif isinstance(block, ContainerTemplate):
            found += [*_variables(f"{path}.env", block.env), *_mounts(f"{path}.volumeMounts", block.volume_mounts)]
    return found


def addition_remarks(kafka: Kafka) -> list[Remark]:
    """What is asked for and has no effect."""
    found = []
    for path, block in blocks_below(kafka.spec, "spec"):
        if isinstance(block, MetadataTemplate):
            ours = [key for key in block.labels if key.startswith(DOMAIN)]
            found += [f"{path}.labels.{key}: labels of {DOMAIN} are klamm's own; it is left out" for key in ours]
        elif isinstance(block, ContainerTemplate):
            outside = [one.mount_path or "" for one in block.volume_mounts if not _is_below_mnt(one)]
            found += [f"{path}.volumeMounts: {one} is not below {_MOUNTS}; it is left out" for one in outside]
    return [Remark("IgnoredTemplate", text) for text in found]


def blocks_below(block: Block, path: str) -> Iterator[Found]:
    """A block and all in it, with their places in the resource."""
    yield path, block
    for name, value in _values(block):
        if isinstance(value, Block):
            yield from blocks_below(value, f"{path}.{name}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, Block):
                    yield from blocks_below(item, f"{path}.{name}[{index}]")


def _values(block: Block) -> Iterator[tuple[str, object]]:
    """By their names in the resource. (`msgspec.structs.fields` works out every type anew: a tenth of a quiet pass.)"""
    for name, encoded in zip(block.__struct_fields__, block.__struct_encode_fields__, strict=True):
        yield encoded, getattr(block, name)


def _numbers(path: str, block: Block) -> Iterator[Problem]:
    for name, value in _values(block):
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
            mend = f"write a number of at most {_LARGEST}"
            yield Problem(f"{path}.{name}", value, "is too large", mend)


def _image(path: str, block: Block) -> Iterator[Problem]:
    image = getattr(block, "image", None)
    if isinstance(image, str) and not _IMAGE.fullmatch(image):
        yield Problem(f"{path}.image", image, "is no name of an image", "write it like registry.example/kafka:3.6.0")


def label_problems(path: str, labels: Mapping[str, str]) -> Iterator[Problem]:
    for key, value in labels.items():
        yield from key_problems(path, key)
        if not _VALUE.fullmatch(value):
            rule = "is no value of a label"
            mend = "use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"
            yield Problem(f"{path}.{key}", value, rule, mend)


def _annotations(path: str, annotations: Mapping[str, str]) -> Iterator[Problem]:
    for key in annotations:
        yield from key_problems(path, key)
    if sum(len(key) + len(value) for key, value in annotations.items()) > _LONGEST_ANNOTATIONS:
        yield Problem(path, None, f"are longer than {_LONGEST_ANNOTATIONS} characters together", "shorten them")


def key_problems(path: str, key: str) -> Iterator[Problem]:
    prefix, slash, name = key.rpartition("/")
    if not _NAME_PART.fullmatch(name) or (slash and not (_LABEL_PREFIX.fullmatch(prefix) and len(prefix) <= 253)):
        mend = "write a name of letters, digits, '-', '_' and '.', with a domain and '/' before it if you like"
        yield Problem(path, key, "is no key of a label or annotation", mend)


def _volumes(path: str, template: PodTemplate) -> Iterator[Problem]:
    names = [volume.name for volume in template.volumes]
    for index, volume in enumerate(template.volumes):
        place = f"{path}.volumes[{index}].name"
        if not volume.name or not _VOLUME.fullmatch(volume.name):
            yield Problem(place, volume.name or "", "is no name of a volume", "use lower-case letters, digits and '-'")
        elif names.index(volume.name) < index:
            yield Problem(place, volume.name, "is given twice", "give each volume its own name")


def _variables(path: str, variables: Sequence[EnvVar]) -> Iterator[Problem]:
    for index, variable in enumerate(variables):
        if not variable.name or not _VARIABLE.fullmatch(variable.name):
            rule = "is no name of an environment variable"
            yield Problem(f"{path}[{index}].name", variable.name or "", rule, "use letters, digits, '_', '-' and '.'")


def _mounts(path: str, mounts: Sequence[VolumeMount]) -> Iterator[Problem]:
    for index, one in enumerate(mounts):
        if not one.name:
            yield Problem(f"{path}[{index}].name", None, "is missing", "name a volume of template.pod.volumes")
        if not one.mount_path or ":" in one.mount_path:
            rule = "is no path" if one.mount_path else "is missing"
            yield Problem(f"{path}[{index}].mountPath", one.mount_path, rule, f"write a path below {_MOUNTS}")


def _is_below_mnt(one: VolumeMount) -> bool:
    return (one.mount_path or "").startswith(_MOUNTS)
