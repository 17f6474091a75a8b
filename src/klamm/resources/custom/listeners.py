"""Listeners: the doors through which clients reach the brokers."""

from typing import Annotated

import msgspec

from klamm.resources.custom.secrets import CertificateAndKey, SecretKey, TrustedCertificate
from klamm.resources.native.network import NetworkPolicyPeer
from klamm.resources.structure import About, Block, Deprecated, Form, FreeForm, Texts

_OAUTH = Deprecated(mend="use type: custom with listenerConfig; the OAuth type is gone from API version v1", since="v1")
_NO_SWITCH = Deprecated(mend="remove it; ECDSA needs no switch")


class ListenerAuthentication(Block):
    """How clients of a listener prove who they are; which fields apply depends on `type`."""

    type: Annotated[
        str | None,
        About("Kind of authentication.", required=True, choices=("tls", "scram-sha-512", "oauth", "custom")),
    ] = None
    sasl: Annotated[bool | None, About("For custom: whether SASL is used.")] = None
    listener_config: Annotated[FreeForm, About("For custom: settings of this listener alone.")] = {}
    secrets: Annotated[
        list[SecretKey],
        About(
            "For custom: Secrets that are mounted into the brokers.",
            only="v1beta2",
            deprecated=Deprecated(mend="mount them with template.pod.volumes", since="v1"),
        ),
    ] = []
    access_token_is_jwt: Annotated[
        bool | None, About("Whether tokens are JWTs that can be read.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    check_access_token_type: Annotated[
        bool | None, About("Check the token's type claim.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    check_audience: Annotated[
        bool | None, About("Demand the broker's client id as audience.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    check_issuer: Annotated[
        bool | None, About("Demand the issuer of validIssuerUri.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    client_audience: Annotated[
        str | None, About("Audience of the tokens that plain clients get.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    client_id: Annotated[str | None, About("Client id of the brokers.", only="v1beta2", deprecated=_OAUTH)] = None
    client_scope: Annotated[
        str | None, About("Scope of the tokens that plain clients get.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    client_secret: Annotated[
        SecretKey | None, About("Client secret of the brokers.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    connect_timeout_seconds: Annotated[
        int | None,
        About("Longest time to connect to the token server.", only="v1beta2", deprecated=_OAUTH),
    ] = None
    custom_claim_check: Annotated[
        str | None, About("JsonPath filter that a token must pass.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    disable_tls_hostname_verification: Annotated[
        bool | None, About("Accept any host name of the token server.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    enable_ecdsa: Annotated[
        bool | None,
        About("Has no effect any more.", only="v1beta2", deprecated=_NO_SWITCH),
    ] = msgspec.field(name="enableECDSA", default=None)
    enable_metrics: Annotated[
        bool | None, About("Collect metrics of the OAuth library.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    enable_oauth_bearer: Annotated[bool | None, About("Offer SASL OAUTHBEARER.", only="v1beta2", deprecated=_OAUTH)] = (
        None
    )
    enable_plain: Annotated[bool | None, About("Offer OAuth over SASL PLAIN.", only="v1beta2", deprecated=_OAUTH)] = (
        None
    )
    fail_fast: Annotated[
        bool | None, About("Stop the broker on errors that may pass.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    fallback_user_name_claim: Annotated[
        str | None, About("Claim of the name when the first is missing.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    fallback_user_name_prefix: Annotated[
        str | None, About("Put before the name of the fall-back claim.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    groups_claim: Annotated[str | None, About("JsonPath query for the groups.", only="v1beta2", deprecated=_OAUTH)] = (
        None
    )
    groups_claim_delimiter: Annotated[
        str | None, About("Sign between groups in one string.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    http_retries: Annotated[
        int | None, About("How often a request is tried again.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    http_retry_pause_ms: Annotated[
        int | None, About("Milliseconds between two tries.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    include_accept_header: Annotated[
        bool | None, About("Send an Accept header.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    introspection_endpoint_uri: Annotated[
        str | None, About("Address that checks opaque tokens.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    jwks_endpoint_uri: Annotated[
        str | None, About("Address of the keys that sign tokens.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    jwks_expiry_seconds: Annotated[
        int | None, About("Seconds those keys are valid.", only="v1beta2", minimum=1, deprecated=_OAUTH)
    ] = None
    jwks_ignore_key_use: Annotated[
        bool | None, About("Take keys whatever their use says.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    jwks_min_refresh_pause_seconds: Annotated[
        int | None,
        About("Shortest pause between refreshes.", only="v1beta2", minimum=0, deprecated=_OAUTH),
    ] = None
    jwks_refresh_seconds: Annotated[
        int | None,
        About("Seconds between refreshes of those keys.", only="v1beta2", minimum=1, deprecated=_OAUTH),
    ] = None
    max_seconds_without_reauthentication: Annotated[
        int | None, About("Longest session before a new login.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    read_timeout_seconds: Annotated[
        int | None, About("Longest time to wait for an answer.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    tls_trusted_certificates: Annotated[
        list[TrustedCertificate],
        About("Authorities trusted for the token server.", only="v1beta2", deprecated=_OAUTH),
    ] = []
    token_endpoint_uri: Annotated[
        str | None, About("Address of the token server.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    user_info_endpoint_uri: Annotated[
        str | None, About("Address asked for the user's name.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    user_name_claim: Annotated[
        str | None, About("Claim that holds the user's name.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    valid_issuer_uri: Annotated[
        str | None, About("Issuer that tokens must have.", only="v1beta2", deprecated=_OAUTH)
    ] = None
    valid_token_type: Annotated[
        str | None, About("Type that an introspected token must have.", only="v1beta2", deprecated=_OAUTH)
    ] = None


class ListenerBootstrap(Block):
    """The address clients start from."""

    alternative_names: Annotated[list[str], About("More names that the brokers' certificates carry.")] = []
    annotations: Annotated[Texts, About("Annotations of its Service, Route or Ingress.")] = {}
    external_ips: Annotated[list[str], About("External addresses of a nodeport Service.", only="v1")] = msgspec.field(
        name="externalIPs", default_factory=list
    )
    host: Annotated[str | None, About("Host name, for route, ingress and tlsroute.")] = None
    labels: Annotated[Texts, About("Labels of its Service, Route or Ingress.")] = {}
    load_balancer_ip: Annotated[str | None, About("Address asked of the load balancer.")] = msgspec.field(
        name="loadBalancerIP", default=None
    )
    node_port: Annotated[int | None, About("Fixed node port.")] = None


class ListenerBroker(Block):
    """The address of one broker."""

    advertised_host: Annotated[str | None, About("Host that clients are told.")] = None
    advertised_port: Annotated[int | None, About("Port that clients are told.")] = None
    annotations: Annotated[Texts, About("Annotations of its Service, Route or Ingress.")] = {}
    broker: Annotated[int | None, About("Id of the broker.", required=True)] = None
    external_ips: Annotated[list[str], About("External addresses of a nodeport Service.", only="v1")] = msgspec.field(
        name="externalIPs", default_factory=list
    )
    host: Annotated[str | None, About("Host name, for route, ingress and tlsroute.")] = None
    labels: Annotated[Texts, About("Labels of its Service, Route or Ingress.")] = {}
    load_balancer_ip: Annotated[str | None, About("Address asked of the load balancer.")] = msgspec.field(
        name="loadBalancerIP", default=None
    )
    node_port: Annotated[int | None, About("Fixed node port.")] = None


class ParentReference(Block):
    """A Gateway that a TLSRoute belongs to."""

    group: Annotated[str | None, About("API group of the parent.")] = None
    kind: Annotated[str | None, About("Kind of the parent.")] = None
    name: Annotated[str | None, About("Name of the parent.")] = None
    namespace: Annotated[str | None, About("Namespace of the parent.")] = None
    port: Annotated[int | None, About("Port of the parent.")] = None
    section_name: Annotated[str | None, About("Section of the parent.")] = None


class ListenerConfiguration(Block):
    """Everything about a listener that depends on its type."""

    advertised_host_template: Annotated[
        str | None, About("Host that clients are told; {nodeId} stands for the broker.", only="v1")
    ] = None
    advertised_port_template: Annotated[
        str | None, About("Port that clients are told, as a sum with {nodeId}.", only="v1")
    ] = None
    allocate_load_balancer_node_ports: Annotated[
        bool | None, About("Whether a load balancer also gets node ports.", only="v1")
    ] = None
    bootstrap: Annotated[ListenerBootstrap | None, About("The address clients start from.")] = None
    broker_cert_chain_and_key: Annotated[
        CertificateAndKey | None, About("Certificate of this listener instead of the operator's.")
    ] = None
    brokers: Annotated[list[ListenerBroker], About("Addresses of single brokers.")] = []
    class_: Annotated[str | None, About("Ingress class, or class of the load balancer.")] = msgspec.field(
        name="class", default=None
    )
    create_bootstrap_service: Annotated[
        bool | None, About("Whether a loadbalancer listener gets a bootstrap Service.")
    ] = None
    external_traffic_policy: Annotated[
        str | None, About("Whether traffic may hop to another node.", choices=("Local", "Cluster"))
    ] = None
    finalizers: Annotated[list[str], About("Finalizers of load balancer Services.")] = []
    host_template: Annotated[
        str | None, About("Host name of the brokers; {nodeId} stands for the broker.", only="v1")
    ] = None
    ip_families: Annotated[list[str], About("IP families of the Services.", choices=("IPv4", "IPv6"))] = []
    ip_family_policy: Annotated[
        str | None,
        About(
            "Whether one or both IP families are used.",
            choices=("SingleStack", "PreferDualStack", "RequireDualStack"),
        ),
    ] = None
    load_balancer_source_ranges: Annotated[list[str], About("Networks (CIDR) that may reach the load balancer.")] = []
    max_connection_creation_rate: Annotated[int | None, About("New connections a second.")] = None
    max_connections: Annotated[int | None, About("Connections at a time of one broker.")] = None
    parent_refs: Annotated[list[ParentReference], About("For tlsroute: the Gateways.", only="v1")] = []
    per_broker_annotations_template: Annotated[
        Texts, About("Annotations of each broker's objects; {nodeId} stands for it.", only="v1")
    ] = {}
    per_broker_labels_template: Annotated[
        Texts, About("Labels of each broker's objects; {nodeId} stands for it.", only="v1")
    ] = {}
    preferred_node_port_address_type: Annotated[
        str | None,
        About(
            "Which of a node's addresses is told first.",
            choices=("ExternalIP", "ExternalDNS", "InternalIP", "InternalDNS", "Hostname"),
        ),
    ] = None
    publish_not_ready_addresses: Annotated[
        bool | None, About("Whether Services also lead to brokers that are not ready.", only="v1")
    ] = None
    use_service_dns_domain: Annotated[
        bool | None, About("Whether names of Services end with the cluster's domain.")
    ] = None


class Listener(Block):
    """One listener."""

    authentication: Annotated[ListenerAuthentication | None, About("How clients prove who they are.")] = None
    configuration: Annotated[ListenerConfiguration | None, About("Details that depend on the type.")] = None
    name: Annotated[
        str | None,
        About("Name, unique in the cluster.", required=True, form=Form(r"^[a-z0-9]{1,11}$", "external1")),
    ] = None
    network_policy_peers: Annotated[
        list[NetworkPolicyPeer], About("Who may reach the listener; everybody when empty.")
    ] = []
    port: Annotated[int | None, About("Port in the pod, unique; not 9404 or 9999.", required=True, minimum=9092)] = None
    tls: Annotated[bool | None, About("Whether connections are encrypted.", required=True)] = None
    type: Annotated[
        str | None,
        About(
            "How the listener is reached.",
            required=True,
            choices=(
                "internal",
                "route",
                "tlsroute",
                "loadbalancer",
                "nodeport",
                "ingress",
                "cluster-ip",
            ),
        ),
    ] = None


class ListenerAddress(Block):
    """One address of a listener, in the status."""

    host: Annotated[str | None, About("Name or IP address.")] = None
    port: Annotated[int | None, About("Port.")] = None


class ListenerStatus(Block):
    """How a listener is reached, in the status."""

    addresses: Annotated[list[ListenerAddress], About("Addresses to start from.")] = []
    bootstrap_servers: Annotated[str | None, About("The same as a client's bootstrap.servers.")] = None
    certificates: Annotated[list[str], About("Authorities that a client must trust (PEM).")] = []
    name: Annotated[str | None, About("Name of the listener.")] = None
    type: Annotated[
        str | None,
        About("Older name of the field name.", only="v1beta2"),
    ] = None
