"""What image names mean on this machine: the distribution's contents as the kubelet's images."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import klamm
from klamm import __version__
from klamm.base.clock import Clock
from klamm.distribution.images import Images, PythonRuntime
from klamm.distribution.provide import choose_java, provide
from klamm.distribution.store import Store
from klamm.localkube.objects import Image, Mount, PullFailed


class LocalImages:
    """`ImageTable` of the kubelet. Pulling is making sure that the Kafka release is in the store.

    `pulled` is told the Kafka version of each image that is used.
    """

    def __init__(self, images: Images, clock: Clock, pulled: Callable[[str], None]) -> None:
        self._images = images
        self._clock = clock
        self._pulled = pulled

    async def pull(self, name: str) -> Image | None:
        content = self._images.find(name)
        if content is None:
            return None
        if content.kafka is not None:
            await self._provide(content.kafka)
        return Image(
            mounts=present(content.binds),
            environment=content.environment,
            entrypoint=content.entrypoint,
            arguments=content.arguments,
            working_directory=content.working_directory,
            image_id=content.image_id,
            size_bytes=content.size_bytes,
        )

    async def _provide(self, version: str) -> None:
        try:
            await provide(self._images.store, [version], java_home=self._images.java.path, clock=self._clock)
        except Exception as error:
            raise PullFailed(str(error)) from error
        self._pulled(version)

    def known(self) -> Sequence[str]:
        return self._images.names()


def present(binds: Sequence[tuple[str, str]]) -> tuple[Mount, ...]:
    """Binds of what is there: hosts differ in what their /etc holds."""
    return tuple(Mount(source, target) for source, target in binds if os.path.exists(source))


def images_of(cache: Path, java_home: Path | None) -> Images:
    package = Path(klamm.__file__).parent
    python = PythonRuntime(sys.executable, sys.prefix, sys.base_prefix, str(package))
    return Images(Store(cache), choose_java(java_home), python, __version__)
