"""An OpenID Connect provider that lets everybody in whom a test names, and can be made to lie.

async with fake_provider() as provider:
    provider.claims["groups"] = ["ops"]
    code = provider.code_for(address)     # what the browser would bring back after the log-in there
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT, SECRET = "console", "provider-secret"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8))


@dataclass
class SigningKey:
    """RS256 and PS256 by an RSA key, ES256 by a curve's, EdDSA by Ed25519's."""

    algorithm: str
    id: str = "one"
    private: Any = None

    def __post_init__(self) -> None:
        if self.private is None:
            self.private = {
                "RS256": lambda: rsa.generate_private_key(65537, 2048),
                "PS256": lambda: rsa.generate_private_key(65537, 2048),
                "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                "EdDSA": ed25519.Ed25519PrivateKey.generate,
            }[self.algorithm]()

    @property
    def public(self) -> dict[str, Any]:
        key, common = self.private.public_key(), {"kid": self.id, "use": "sig"}
        if self.algorithm == "ES256":
            numbers = key.public_numbers()
            x, y = (encoded(one.to_bytes(32)) for one in (numbers.x, numbers.y))
            return {**common, "kty": "EC", "crv": "P-256", "x": x, "y": y}
        if self.algorithm == "EdDSA":
            return {**common, "kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_bytes_raw())}
        numbers = key.public_numbers()
        return {**common, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        head = {"alg": self.algorithm, "kid": self.id, "typ": "JWT", **header}
        signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(claims).encode())}"
        return f"{signed}.{encoded(self.sign(signed.encode()))}"

    def sign(self, content: bytes) -> bytes:
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(content, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32) + s.to_bytes(32)
        if self.algorithm == "EdDSA":
            return bytes(self.private.sign(content))
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        pad = pss if self.algorithm == "PS256" else padding.PKCS1v15()
        return bytes(self.private.sign(content, pad, hashes.SHA256()))


@dataclass
class FakeProvider:
    """`claims`: of who logs in. `lie`: changes a token's claims before they are signed. `more`: bytes that its keys
    have besides."""

    url: str = ""
    key: SigningKey = field(default_factory=lambda: SigningKey("ES256"))
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "ann"})
    lie: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    now: float = 0.0
    more: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def code_for(self, address: str) -> dict[str, str]:
        """Logs in at this address, as the browser was led there; what it brings back."""
        assert address.startswith(f"{self.url}/authorize?"), address
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.url}

    async def _discovery(self, _: web.Request) -> web.Response:
        self.asked.append("discovery")
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked.append("keys")
        return web.json_response({"keys": [self.key.public], "more": "x" * self.more})

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append("token")
        form = await request.post()
        query = self.codes.pop(str(form["code"]), None)
        challenge = encoded(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        is_right = (
            query is not None
            and query["code_challenge"] == challenge
            and query["redirect_uri"] == form["redirect_uri"]
            and (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        )
        if query is None or not is_right:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {"iss": self.url, "aud": CLIENT, "exp": self.now + 300, "iat": self.now, **self.claims}
        claims |= {"nonce": query["nonce"]} if "nonce" in query else {}
        return web.json_response({"access_token": "access", "id_token": self.key.token(self.lie(claims))})

    async def _user_info(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer access"
        return web.json_response(self.claims)

    async def _teams(self, _: web.Request) -> web.Response:
        found = [{"slug": slug, "organization": {"login": of}} for of, slug in self.claims.get("teams", [])]
        return web.json_response(found)

    async def _organizations(self, request: web.Request) -> web.Response:
        most = int(request.query.get("per_page", 30))
        return web.json_response([{"login": one} for one in self.claims.get("orgs", [])][:most])


@asynccontextmanager
async def fake_provider(now: float) -> AsyncIterator[FakeProvider]:
    """`now`: seconds since 1970 by its clock."""
    provider = FakeProvider(now=now)
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider._discovery)
    app.router.add_get("/keys", provider._keys)
    app.router.add_post("/token", provider._token)
    app.router.add_get("/userinfo", provider._user_info)
    app.router.add_get("/userinfo/orgs", provider._organizations)
    app.router.add_get("/userinfo/teams", provider._teams)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()
