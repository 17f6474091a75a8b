"""Who may do what: the authorizer of the brokers."""

from typing import Annotated

from klamm.resources.custom.secrets import TrustedCertificate
from klamm.resources.structure import About, Block, Deprecated

_OPA = Deprecated(mend="use type: custom; API version v1 has no opa", since="v1")
_KEYCLOAK = Deprecated(mend="use type: custom; API version v1 has no keycloak", since="v1")


class KafkaAuthorization(Block):
    """The authorizer; which fields apply depends on `type`."""

    type: Annotated[
        str | None,
        About("Kind of authorizer.", required=True, choices=("simple", "opa", "keycloak", "custom")),
    ] = None
    super_users: Annotated[list[str], About("Users that may do everything, e.g. CN=admin.")] = []
    authorizer_class: Annotated[str | None, About("For custom: class of the authorizer.")] = None
    supports_admin_api: Annotated[
        bool | None, About("For custom: whether ACLs can be managed through Kafka's admin API.")
    ] = None
    url: Annotated[str | None, About("For opa: address of the query.", only="v1beta2", deprecated=_OPA)] = None
    allow_on_error: Annotated[
        bool | None, About("For opa: allow when the query fails.", only="v1beta2", deprecated=_OPA)
    ] = None
    initial_cache_capacity: Annotated[
        int | None, About("For opa: entries of the cache at the start.", only="v1beta2", deprecated=_OPA)
    ] = None
    maximum_cache_size: Annotated[
        int | None, About("For opa: most entries of the cache.", only="v1beta2", deprecated=_OPA)
    ] = None
    expire_after_ms: Annotated[
        int | None, About("For opa: milliseconds an answer is kept.", only="v1beta2", deprecated=_OPA)
    ] = None
    enable_metrics: Annotated[
        bool | None, About("For opa and keycloak: collect metrics.", only="v1beta2", deprecated=_OPA)
    ] = None
    tls_trusted_certificates: Annotated[
        list[TrustedCertificate],
        About("For opa and keycloak: authorities trusted for the server.", only="v1beta2", deprecated=_OPA),
    ] = []
    client_id: Annotated[
        str | None, About("For keycloak: client id of the brokers.", only="v1beta2", deprecated=_KEYCLOAK)
    ] = None
    token_endpoint_uri: Annotated[
        str | None, About("For keycloak: address of the token server.", only="v1beta2", deprecated=_KEYCLOAK)
    ] = None
    delegate_to_kafka_acls: Annotated[
        bool | None,
        About("For keycloak: ask Kafka's ACLs when it denies.", only="v1beta2", deprecated=_KEYCLOAK),
    ] = None
    disable_tls_hostname_verification: Annotated[
        bool | None,
        About("For keycloak: accept any host name.", only="v1beta2", deprecated=_KEYCLOAK),
    ] = None
    connect_timeout_seconds: Annotated[
        int | None,
        About("For keycloak: longest time to connect.", only="v1beta2", minimum=1, deprecated=_KEYCLOAK),
    ] = None
    read_timeout_seconds: Annotated[
        int | None,
        About(
            "For keycloak: longest time to wait for an answer.",
            only="v1beta2",
            minimum=1,
            deprecated=_KEYCLOAK,
        ),
    ] = None
    http_retries: Annotated[
        int | None,
        About("For keycloak: tries after a failed request.", only="v1beta2", minimum=0, deprecated=_KEYCLOAK),
    ] = None
    include_accept_header: Annotated[
        bool | None, About("For keycloak: send an Accept header.", only="v1beta2", deprecated=_KEYCLOAK)
    ] = None
    grants_refresh_period_seconds: Annotated[
        int | None,
        About(
            "For keycloak: seconds between two refreshes of grants.",
            only="v1beta2",
            minimum=0,
            deprecated=_KEYCLOAK,
        ),
    ] = None
    grants_refresh_pool_size: Annotated[
        int | None,
        About("For keycloak: threads that refresh grants.", only="v1beta2", minimum=1, deprecated=_KEYCLOAK),
    ] = None
    grants_max_idle_time_seconds: Annotated[
        int | None,
        About("For keycloak: seconds an unused grant is kept.", only="v1beta2", minimum=1, deprecated=_KEYCLOAK),
    ] = None
    grants_gc_period_seconds: Annotated[
        int | None,
        About("For keycloak: seconds between clean-ups.", only="v1beta2", minimum=1, deprecated=_KEYCLOAK),
    ] = None
    grants_always_latest: Annotated[
        bool | None,
        About("For keycloak: fetch grants for every session.", only="v1beta2", deprecated=_KEYCLOAK),
    ] = None
