"""Reading bytes of strangers: every step is checked, and there is an end to how much one record may become.

A few bytes can claim a list of a quintillion nothings, or a thousand levels; whoever shows records must not hang on
one. So all readers of this folder take bytes through a `Cursor`, which counts what is made of them.
"""

import struct
from typing import Any

MOST_VALUES = 200_000
"""Numbers, strings, entries that one record may hold."""

DEEPEST = 48
"""Levels that they may be nested."""

LARGEST = 32 << 20
"""Bytes that one record may become when it is unpacked."""


class Misfit(ValueError):
    """These bytes, or this text, are not of the wanted form; the message says why."""


class Cursor:
    __slots__ = ("at", "data", "left")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.left = MOST_VALUES

    @property
    def remaining(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise Misfit(f"{count} bytes are wanted at byte {self.at}, {self.remaining} are there")
        taken, self.at = self.data[self.at : end], end
        return taken

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise Misfit(f"it ends after {self.at} bytes, in the middle of a value")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, form: str) -> Any:
        """One of `struct`'s forms."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, count: int) -> str:
        at = self.at
        try:
            return self.take(count).decode()
        except UnicodeDecodeError as error:
            raise Misfit(f"at byte {at + error.start} there is no UTF-8") from None

    def varint(self) -> int:
        """Seven bits a byte, the lowest first; at most 64."""
        value = shift = 0
        while True:
            one = self.byte()
            value |= (one & 0x7F) << shift
            if one < 0x80:
                if value >> 64:
                    raise Misfit(f"the number that ends at byte {self.at} has more than 64 bits")
                return value
            shift += 7
            if shift > 63:
                raise Misfit(f"the number at byte {self.at} does not end")

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def spend(self, depth: int) -> None:
        """Called for every value that is made, with how deep it is."""
        self.left -= 1
        if self.left < 0:
            raise Misfit(f"it holds more than {MOST_VALUES} values")
        if depth > DEEPEST:
            raise Misfit(f"it is nested more than {DEEPEST} levels deep")

    def end(self) -> None:
        if self.remaining:
            raise Misfit(f"{self.remaining} bytes are left over after byte {self.at}")


def put_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def put_zigzag(out: bytearray, value: int) -> None:
    put_varint(out, ((value << 1) ^ (value >> 63)) & 0xFFFF_FFFF_FFFF_FFFF)
