"""Who owns a generated object: deleting the owner deletes it (Kubernetes' garbage collection)."""

from klamm.resources.native.metadata import ObjectMeta, OwnerReference


def owner_reference(api_version: str, kind: str, metadata: ObjectMeta) -> OwnerReference:
    """The resource as owner. It is no controller in Kubernetes' sense, and its deletion waits for nobody."""
    return OwnerReference(
        api_version=api_version,
        kind=kind,
        name=metadata.name or "",
        uid=metadata.uid or "",
        controller=False,
        block_owner_deletion=False,
    )
