"""Volumes that live outside the pod's own folders: host paths and persistent volumes."""

from pathlib import Path

from klamm.localkube.objects import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Objects


class VolumeBlocked(Exception):
    """A volume cannot be made now. The message says what is missing."""

    def __init__(self, volume: str, message: str) -> None:
        super().__init__(f'volume "{volume}": {message}')
        self.volume = volume
        self.why = message


def host_path(volume: str, path: str, kind: str) -> Path:
    """A hostPath volume by its `type`; "" checks nothing but makes no promise either, so the path must exist."""
    place = Path(path)
    if kind == "DirectoryOrCreate":
        place.mkdir(parents=True, exist_ok=True, mode=0o755)
    elif kind == "FileOrCreate":
        place.touch(mode=0o644, exist_ok=True)
    checks = {
        "Directory": place.is_dir,
        "DirectoryOrCreate": place.is_dir,
        "File": place.is_file,
        "FileOrCreate": place.is_file,
        "Socket": place.is_socket,
        "": place.exists,
    }
    check = checks.get(kind)
    if check is None:
        raise VolumeBlocked(volume, f'hostPath type "{kind}" does not exist on one machine; there are {list(checks)}')
    if not check():
        raise VolumeBlocked(volume, f"hostPath {path} is no {kind or 'file or folder'} of this machine")
    return place


def claimed_folder(objects: Objects, namespace: str, volume: str, claim: str) -> Path:
    found = objects.find(PERSISTENT_VOLUME_CLAIMS, namespace, claim)
    if found is None:
        raise VolumeBlocked(volume, f'persistentvolumeclaim "{claim}" not found')
    bound_to = found["spec"].get("volumeName")
    if not bound_to or (found.get("status") or {}).get("phase") != "Bound":
        raise VolumeBlocked(volume, f'persistentvolumeclaim "{claim}" is not bound to a volume yet')
    persistent = objects.find(PERSISTENT_VOLUMES, None, bound_to)
    if persistent is None:
        raise VolumeBlocked(volume, f'persistentvolume "{bound_to}" of the claim "{claim}" not found')
    return _folder_of(volume, bound_to, persistent["spec"])


def _folder_of(volume: str, name: str, spec: dict[str, dict[str, str]]) -> Path:
    source = spec.get("hostPath") or spec.get("local")
    if source is None:
        raise VolumeBlocked(volume, f'persistentvolume "{name}" has neither hostPath nor local: nothing to mount here')
    folder = Path(source["path"])
    # 0770 and not 0777: the data of a volume are its owner's, and the pod's through fsGroup.
    folder.mkdir(parents=True, exist_ok=True, mode=0o770)
    return folder
