"""Java's old key store, JKS: read for who still has one; klamm writes PKCS#12 and PEM.

All numbers are big-endian. A magic number, version 2 and the count of entries; of each its kind (1: a key and its
chain, 2: a trusted certificate), its alias, its date and its content; at the end a SHA-1 of everything, salted with
the password. A key is XORed with a chain of SHA-1 digests of password and salt, which is weak: who can read the file
can try passwords quickly.
"""

import hashlib
from dataclasses import dataclass

from klamm.certificates.stores import Store, Unreadable, certificate_pem, key_pem

MAGIC = b"\xfe\xed\xfe\xed"
_WHITENER = b"Mighty Aphrodite"
_PROTECTED = bytes.fromhex("060a2b060104012a02110101")
"""The object identifier 1.3.6.1.4.1.42.2.17.1.1, Sun's protection of keys, as it stands in DER."""
_DIGEST = 20


def read_jks(data: bytes, password: str, key_password: str | None = None) -> Store:
    """`key_password`: of the key, where it is another one. Raises `Unreadable`."""
    secret = password.encode("utf-16-be")
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if hashlib.sha1(secret + _WHITENER + body).digest() != digest:
        raise Unreadable("the password is wrong, or the file is damaged")
    cursor = _Cursor(body, 4)
    if cursor.number(4) != 2:
        raise Unreadable("it is JKS of version 1; make it anew with keytool")
    store = Store()
    for _ in range(cursor.number(4)):
        store = _with_entry(store, cursor, key_password or password)
    return store


def _with_entry(store: Store, cursor: "_Cursor", password: str) -> Store:
    kind = cursor.number(4)
    cursor.take(cursor.number(2))  # alias
    cursor.take(8)  # date
    if kind == 2:
        return Store((*store.trusted, _certificate(cursor)), store.key, store.chain)
    if kind != 1:
        raise Unreadable(f"an entry is of kind {kind}; only certificates and private keys are read")
    protected = cursor.take(cursor.number(4))
    chain = tuple(_certificate(cursor) for _ in range(cursor.number(4)))
    if store.key is not None:
        return store
    return Store(store.trusted, key_pem(_key(protected, password)), chain)


def _certificate(cursor: "_Cursor") -> bytes:
    cursor.take(cursor.number(2))  # its type, X.509
    return certificate_pem(cursor.take(cursor.number(4)))


def _key(info: bytes, password: str) -> bytes:
    """PKCS#8 in DER, from an EncryptedPrivateKeyInfo: a SEQUENCE of the algorithm and an OCTET STRING."""
    outer = _Cursor(info, 0)
    outer.header(0x30)
    algorithm = outer.take(outer.header(0x30))
    if _PROTECTED not in algorithm:
        raise Unreadable("its key is protected in a way that is not read; make a PKCS#12 store of it with keytool")
    sealed = outer.take(outer.header(0x04))
    salt, hidden, check = sealed[:_DIGEST], sealed[_DIGEST:-_DIGEST], sealed[-_DIGEST:]
    secret, stream, block = password.encode("utf-16-be"), b"", salt
    while len(stream) < len(hidden):
        block = hashlib.sha1(secret + block).digest()
        stream += block
    plain = bytes(one ^ other for one, other in zip(hidden, stream, strict=False))
    if hashlib.sha1(secret + plain).digest() != check:
        raise Unreadable("the password of its key is wrong")
    return plain


@dataclass
class _Cursor:
    data: bytes
    at: int

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise Unreadable("it ends too early")
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def header(self, tag: int) -> int:
        """Of a value in DER; its length."""
        if self.number(1) != tag:
            raise Unreadable("its key is not as Java writes keys")
        length = self.number(1)
        return self.number(length & 0x7F) if length & 0x80 else length
