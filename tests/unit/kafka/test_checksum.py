"""CRC-32C beside the numbers of RFC 3720 and beside the library's, byte by byte."""

from random import Random

import pytest
from kafka.record.util import calc_crc32c

from klamm.kafka.checksum import crc32c


@pytest.mark.parametrize(
    ("data", "sum_of_it"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_the_standard_says_the_same(data: bytes, sum_of_it: int) -> None:
    assert crc32c(data) == sum_of_it


def test_of_every_length_it_is_the_librarys() -> None:
    """Short ones go through the table, long ones are shortened first: every length near both, and some long ones."""
    random = Random(7)
    for length in [*range(600), 4_096, 10_007, 131_073]:
        data = random.randbytes(length)
        assert crc32c(data) == calc_crc32c(data), length
        assert crc32c(bytes(length)) == calc_crc32c(bytes(length)), f"{length} zeros"
