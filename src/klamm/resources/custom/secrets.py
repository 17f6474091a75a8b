"""Places of keys, certificates and passwords: always a Secret's name and names of keys in it, never a value."""

from typing import Annotated

from klamm.resources.native.metadata import ConfigMapKeySelector, SecretKeySelector
from klamm.resources.structure import About, Block, Deprecated, FreeForm


class SecretKey(Block):
    """One entry of a Secret."""

    key: Annotated[str | None, About("Key in the Secret under which the value stands.", required=True)] = None
    secret_name: Annotated[str | None, About("Secret that holds the value.", required=True)] = None


class TrustedCertificate(Block):
    """Certificates of a Secret that are trusted: one entry, or all that match a pattern."""

    certificate: Annotated[str | None, About("Key in the Secret under which the certificate stands.")] = None
    pattern: Annotated[str | None, About("Glob over the Secret's keys; every match is trusted.", only="v1")] = None
    secret_name: Annotated[str | None, About("Secret that holds the certificate.", required=True)] = None


class CertificateAndKey(Block):
    """A certificate with its private key."""

    certificate: Annotated[
        str | None, About("Key in the Secret under which the certificate chain stands (PEM).", required=True)
    ] = None
    key: Annotated[str | None, About("Key in the Secret under which the private key stands (PEM).", required=True)] = (
        None
    )
    secret_name: Annotated[str | None, About("Secret that holds both.", required=True)] = None


class PasswordSecret(Block):
    """A password."""

    password: Annotated[str | None, About("Key in the Secret under which the password stands.", required=True)] = None
    secret_name: Annotated[str | None, About("Secret that holds the password.", required=True)] = None


class SecretValue(Block):
    """`valueFrom` with a Secret's entry."""

    secret_key_ref: Annotated[SecretKeySelector | None, About("Entry of a Secret.")] = None


class ConfigMapValue(Block):
    """`valueFrom` with a ConfigMap's entry."""

    config_map_key_ref: Annotated[ConfigMapKeySelector | None, About("Entry of a ConfigMap.")] = None


class ClientTls(Block):
    """How a client knows the brokers."""

    trusted_certificates: Annotated[
        list[TrustedCertificate], About("Certificates of the authorities that the client trusts.")
    ] = []


_OAUTH = Deprecated(mend="use type: custom; the OAuth type is gone from API version v1", since="v1")


class ClientAuthentication(Block):
    """How a client proves who it is; which fields apply depends on `type`."""

    type: Annotated[
        str | None,
        About(
            "Kind of authentication.",
            required=True,
            choices=("tls", "scram-sha-256", "scram-sha-512", "plain", "oauth", "custom"),
        ),
    ] = None
    certificate_and_key: Annotated[CertificateAndKey | None, About("For tls: the client's certificate and key.")] = None
    username: Annotated[str | None, About("For plain and scram: the user's name.")] = None
    password_secret: Annotated[PasswordSecret | None, About("For plain and scram: the user's password.")] = None
    sasl: Annotated[bool | None, About("For custom: whether SASL is used.", only="v1")] = None
    config: Annotated[FreeForm, About("For custom: the client's security settings.", only="v1")] = {}
    access_token: Annotated[
        SecretKey | None, About("Token that is sent as it is.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    access_token_is_jwt: Annotated[
        bool | None, About("Whether the token is a JWT that can be read.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    audience: Annotated[str | None, About("Audience asked for with a token.", only="v1beta2", deprecated=_OAUTH)] = None
    client_id: Annotated[str | None, About("Client id at the token server.", only="v1beta2", deprecated=_OAUTH)] = None
    client_secret: Annotated[
        SecretKey | None, About("Client secret at the token server.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    connect_timeout_seconds: Annotated[
        int | None,
        About("Longest time to connect to the token server.", only="v1beta2", deprecated=_OAUTH),
    ] = None
    disable_tls_hostname_verification: Annotated[
        bool | None,
        About("Accept any host name of the token server.", only="v1beta2", deprecated=_OAUTH),
    ] = None
    enable_metrics: Annotated[
        bool | None, About("Collect metrics of the OAuth library.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    http_retries: Annotated[
        int | None, About("How often a token request is tried again.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    http_retry_pause_ms: Annotated[
        int | None, About("Milliseconds between two tries.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    include_accept_header: Annotated[
        bool | None, About("Send an Accept header to the token server.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    max_token_expiry_seconds: Annotated[
        int | None, About("Age from which a token is treated as expired.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    read_timeout_seconds: Annotated[
        int | None,
        About("Longest time to wait for the token server's answer.", only="v1beta2", deprecated=_OAUTH),
    ] = None
    refresh_token: Annotated[
        SecretKey | None, About("Token with which new ones are asked for.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    scope: Annotated[str | None, About("Scope asked for with a token.", only="v1beta2", deprecated=_OAUTH)] = None
    tls_trusted_certificates: Annotated[
        list[TrustedCertificate],
        About("Authorities trusted for the token server.", only="v1beta2", deprecated=_OAUTH),
    ] = []
    token_endpoint_uri: Annotated[
        str | None, About("Address of the token server.", only="v1beta2", deprecated=_OAUTH)
    ] = None
