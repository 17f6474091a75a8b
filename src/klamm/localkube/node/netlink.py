"""rtnetlink(7) by hand: the six requests that make a bridge, a pod's link and its routes.

A library for it costs ten times the memory of the whole supervisor. A socket speaks for the network namespace in
which it was made, so a `Netlink` made inside a pod's namespace configures that pod from anywhere.
"""

from __future__ import annotations

import os
import socket
import struct

_NLMSG_ERROR = 2
_REQUEST_ACK = 1 | 4
_CREATE_EXCL = 0x400 | 0x200
_RTM_NEWLINK, _RTM_DELLINK, _RTM_NEWADDR, _RTM_NEWROUTE = 16, 17, 20, 24
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 10, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_IFF_UP = 1
_TABLE_MAIN, _TABLE_LOCAL = 254, 255
_PROTOCOL_BOOT = 3
_SCOPE_UNIVERSE, _SCOPE_HOST = 0, 254
_TYPE_UNICAST, _TYPE_LOCAL = 1, 2


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _name(kind: int, name: str) -> bytes:
    return _attribute(kind, name.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _link_header(index: int = 0, flags: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, flags, flags)


class Netlink:
    """Each call asks the kernel and waits for its acknowledgement (microseconds); OSError says what was refused."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def add_bridge(self, name: str, hardware: bytes) -> None:
        """Without an address of its own a bridge has the lowest of its ports, and another one when that port goes:
        everybody who remembers the old one is cut off for half a minute.
        """
        info = _attribute(_IFLA_LINKINFO, _name(_IFLA_INFO_KIND, "bridge"))
        body = _link_header(flags=_IFF_UP) + _name(_IFLA_IFNAME, name) + _attribute(_IFLA_ADDRESS, hardware) + info
        self._request(_RTM_NEWLINK, _CREATE_EXCL, body, f"add bridge {name}")

    def add_veth(self, name: str, bridge_index: int, peer_name: str, peer_namespace: int, peer_hardware: bytes) -> None:
        """A pair: `name` here, up and on the bridge; `peer_name` in the namespace of descriptor `peer_namespace`."""
        peer = _link_header() + _name(_IFLA_IFNAME, peer_name) + _number(_IFLA_NET_NS_FD, peer_namespace)
        peer += _attribute(_IFLA_ADDRESS, peer_hardware)
        data = _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, peer))
        info = _attribute(_IFLA_LINKINFO, _name(_IFLA_INFO_KIND, "veth") + data)
        header = _link_header(flags=_IFF_UP)
        body = header + _name(_IFLA_IFNAME, name) + _number(_IFLA_MASTER, bridge_index) + info
        self._request(_RTM_NEWLINK, _CREATE_EXCL, body, f"add link {name}")

    def delete_link(self, name: str) -> None:
        self._request(_RTM_DELLINK, 0, _link_header() + _name(_IFLA_IFNAME, name), f"delete link {name}")

    def set_up(self, index: int) -> None:
        self._request(_RTM_NEWLINK, 0, _link_header(index, _IFF_UP), f"set link {index} up")

    def add_address(self, index: int, address: str, prefix_length: int) -> None:
        packed = socket.inet_aton(address)
        body = struct.pack("=BBBBI", socket.AF_INET, prefix_length, 0, 0, index)
        body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
        self._request(_RTM_NEWADDR, _CREATE_EXCL, body, f"add address {address}/{prefix_length}")

    def add_default_route(self, gateway: str) -> None:
        body = self._route(0, _TABLE_MAIN, _SCOPE_UNIVERSE, _TYPE_UNICAST)
        body += _attribute(_RTA_GATEWAY, socket.inet_aton(gateway))
        self._request(_RTM_NEWROUTE, _CREATE_EXCL, body, f"add default route by {gateway}")

    def add_local_route(self, index: int, network: str, prefix_length: int) -> None:
        """AnyIP: every address of `network` is this host's own, so that a socket can be bound to each."""
        body = self._route(prefix_length, _TABLE_LOCAL, _SCOPE_HOST, _TYPE_LOCAL)
        body += _attribute(_RTA_DST, socket.inet_aton(network)) + _number(_RTA_OIF, index)
        self._request(_RTM_NEWROUTE, _CREATE_EXCL, body, f"add local route {network}/{prefix_length}")

    @staticmethod
    def _route(prefix_length: int, table: int, scope: int, kind: int) -> bytes:
        return struct.pack("=BBBBBBBBI", socket.AF_INET, prefix_length, 0, 0, table, _PROTOCOL_BOOT, scope, kind, 0)

    def _request(self, kind: int, flags: int, body: bytes, doing: str) -> None:
        self._sequence += 1
        header = struct.pack("=IHHII", 16 + len(body), kind, _REQUEST_ACK | flags, self._sequence, 0)
        self._socket.send(header + body)
        while True:
            answer = self._socket.recv(65536)
            _, answer_kind, _, sequence, _ = struct.unpack_from("=IHHII", answer)
            if answer_kind == _NLMSG_ERROR and sequence == self._sequence:
                (code,) = struct.unpack_from("=i", answer, 16)
                if code:
                    raise OSError(-code, f"{doing}: {os.strerror(-code)}")
                return
