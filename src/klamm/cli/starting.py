"""Bring the processes of a home up: content of images, identity, guardian. Each part is skipped when it is there."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from klamm import __version__
from klamm.cli.context import Context
from klamm.cli.errors import Impossible, Mistake
from klamm.cli.identity import ensure_identity, write_kubeconfig
from klamm.cli.settings import LocalSettings, pretended_nodes, read_settings, write_settings
from klamm.localkube.node.client import (
    AlreadyGuarded,
    GuardianClient,
    GuardianError,
    NodeForbidden,
    PortInUse,
    start_guardian,
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of a cluster; None: as it is, or the default."""

    nodes: int | None = None
    early_readiness: bool | None = None
    api_port: int | None = None
    namespace: str | None = None


def settle(context: Context, wishes: Wishes) -> LocalSettings:
    """The home's settings with the wishes in them. Raises `Mistake` when a running cluster cannot have them."""
    old = read_settings(context.home.settings)
    if old and wishes.nodes is not None and wishes.nodes < len(old.nodes):
        raise Mistake(f"--nodes {wishes.nodes}: this cluster has {len(old.nodes)} nodes, and nodes are not taken away")
    found = old or LocalSettings(nodes=pretended_nodes(wishes.nodes or 3))
    if wishes.nodes is not None and wishes.nodes > len(found.nodes):
        found = msgspec.structs.replace(found, nodes=pretended_nodes(wishes.nodes))
    if wishes.early_readiness is not None:
        found = msgspec.structs.replace(found, early_readiness=wishes.early_readiness)
    if wishes.api_port is not None:
        found = msgspec.structs.replace(found, api_port=wishes.api_port)
    if old is None and wishes.namespace is not None:
        found = msgspec.structs.replace(found, operator_namespace=wishes.namespace)
    return found


async def provide_content(context: Context, versions: Iterable[str]) -> None:
    """Fetch what the manifests will run, with progress. Nothing to do costs milliseconds."""
    from klamm.cli.progress import Reporter
    from klamm.distribution.provide import provide
    from klamm.distribution.store import Store

    with Reporter(context.err) as reporter:
        await provide(
            Store(context.home.cache),
            sorted(versions),
            java_home=context.java_home,
            clock=context.clock,
            report=reporter.show,
        )


def ensure_running(context: Context, settings: LocalSettings) -> bool:
    """Start what does not run; True when something was started. A newer klamm takes over a running home."""
    guardian = GuardianClient(str(context.home.path))
    try:
        status = guardian.status()
    except GuardianError:
        status = None
    if status is not None:
        changed = settings != read_settings(context.home.settings)
        write_settings(context.home.settings, settings)
        if status.get("settings", {}).get("version") != __version__ or changed:
            guardian.restart_control_plane(
                context.control_plane, context.environment, settings={"version": __version__}
            )
        return False
    return _start(context, settings)


def _start(context: Context, settings: LocalSettings) -> bool:
    home = context.home
    try:
        home.make()
        ensure_identity(home, context.clock.now())
        write_settings(home.settings, settings)
        started = start_guardian(
            str(home.path),
            context.control_plane,
            environment=context.environment,
            api_port=settings.api_port,
            settings={"version": __version__},
        )
    except AlreadyGuarded:
        # Another `up` was faster by a moment: its cluster is ours.
        return False
    except PortInUse as error:
        raise Impossible(f"{error}. Stop that program, or choose another port with --api-port.") from error
    except NodeForbidden as error:
        raise Impossible(str(error)) from error
    except GuardianError as error:
        raise Impossible(f"the cluster's processes did not start: {error}") from error
    except OSError as error:
        raise Impossible(f"{error.filename or home.path}: {error.strerror}") from error
    if started.api_port != settings.api_port:
        write_settings(home.settings, msgspec.structs.replace(settings, api_port=started.api_port))
    write_kubeconfig(home, started.api_port, settings.operator_namespace)
    return True
