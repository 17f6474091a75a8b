"""kafka-ui's configuration, as its users write it, and what becomes of it."""

import ssl
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tests.unit.certificates.test_java_stores import CERTIFICATE, KEY_STORE, KEY_WORD, STORE_WORD, TRUST_STORE

from klamm.console.configuring.client_properties import jaas_options
from klamm.console.configuring.configuration import Configuration, Place, places, read
from klamm.console.configuring.told import Unusable
from klamm.console.identity.settings import Form, Ldap, OpenId
from klamm.console.schemas.registry import RegistrySettings
from klamm.kafka.admin import Sasl

FILES = {"/certs/trust.jks": TRUST_STORE, "/certs/key.jks": KEY_STORE, "/certs/ca.pem": CERTIFICATE}
TUTORIAL = """
kafka:
  clusters:
    - name: yaml
      bootstrapServers: my-cluster-kafka-bootstrap.kafka.svc:9092
auth:
  type: disabled
management:
  health:
    ldap:
      enabled: false
"""
ONE = {"KAFKA_CLUSTERS_0_NAME": "one", "KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS": "a:9092"}


def file(path: str) -> bytes:
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory", path)
    return FILES[path]


def configured(text: str = "", environment: Mapping[str, str] | None = None) -> Configuration:
    documents = [("config.yml", yaml.safe_load(text))] if text else []
    return read(documents, environment or {}, file)


def cluster(text: str, **environment: str) -> Any:
    """A cluster with these lines of configuration."""
    lines = "\n".join(f"      {line}" for line in text.strip("\n").splitlines())
    return configured(
        f"kafka:\n  clusters:\n    - name: one\n      bootstrapServers: a:9092\n{lines}\n", environment
    ).settings.clusters[0]


def wrong(text: str = "", environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(Unusable) as caught:
        configured(text, environment)
    return str(caught.value).splitlines()


def test_the_tutorial_s_values_are_a_cluster_and_no_remark() -> None:
    made = configured(TUTORIAL)
    (one,) = made.settings.clusters
    assert (one.name, one.read_only) == ("yaml", False)
    assert one.connection().bootstrap == ("my-cluster-kafka-bootstrap.kafka.svc:9092",)
    assert (one.connection().tls, one.connection().sasl) == (None, None)
    assert (made.settings.port, made.settings.base, made.settings.host) == (8080, "", None)
    assert made.remarks == ()


SPELLINGS = {
    "nested": "kafka:\n  clusters:\n  - name: one\n    bootstrapServers: a:9092\n    readOnly: true",
    "kebab-case": "kafka:\n  clusters:\n  - name: one\n    bootstrap-servers: a:9092\n    read-only: 'true'",
    "dots": "kafka.clusters:\n- name: one\n  bootstrapServers: a:9092\n  readOnly: yes",
}
VARIABLES = (
    {**ONE, "KAFKA_CLUSTERS_0_READONLY": "true"},
    {"KAFKA_CLUSTERS_0_NAME": "one", "KAFKA_CLUSTERS_0_BOOTSTRAP_SERVERS": "a:9092", "KAFKA_CLUSTERS_0_READ_ONLY": "1"},
    {"kafka_clusters_0_name": "one", "kafka_clusters_0_bootstrapServers": "a:9092", "kafka_clusters_0_readonly": "on"},
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_yaml_may_be_spelled_in_spring_s_ways(spelling: str) -> None:
    (one,) = configured(SPELLINGS[spelling]).settings.clusters
    assert (one.name, one.connection().bootstrap, one.read_only) == ("one", ("a:9092",), True)


@pytest.mark.parametrize("environment", VARIABLES)
def test_variables_say_the_same_as_yaml(environment: dict[str, str]) -> None:
    (one,) = configured(environment=environment).settings.clusters
    assert (one.name, one.connection().bootstrap, one.read_only) == ("one", ("a:9092",), True)


def test_parts_of_others_are_handed_on_in_one_spelling() -> None:
    made = cluster(
        "schema-registry: http://registry:8081\nschemaRegistryAuth: {username: ann, password: word}\n"
        "serde:\n- name: ProtobufFile\n  topic-values-pattern: a.*\n  properties: {protobufFiles: ['${A:}/a.proto']}\n"
        "masking:\n- {type: MASK, fields: [name], topic-values-pattern: 'a.*'}\n"
        "kafka-connect:\n- {name: first, address: 'http://connect:8083'}\ndefaultKeySerde: String"
    )
    assert made.registry == RegistrySettings(("http://registry:8081",), "ann", "word", made.registry.tls)
    (wish,) = made.serdes.wishes
    assert (wish.name, made.serdes.key) == ("ProtobufFile", "String")
    assert wish.holds("abc", "value")
    assert wish.files.files == ("/a.proto",)
    assert made.masking.rules[0].settings.fields == ("name",)
    given = made.given
    assert given["kafkaConnect"] == [{"name": "first", "address": "http://connect:8083"}]


def test_variables_of_parts_of_others_are_handed_on_alike() -> None:
    made = configured(
        environment={
            **ONE,
            "KAFKA_CLUSTERS_0_KAFKACONNECT_0_NAME": "first",
            "KAFKA_CLUSTERS_0_MASKING_0_TYPE": "REMOVE",
            "KAFKA_CLUSTERS_0_MASKING_0_TOPICVALUESPATTERN": "a.*",
            "KAFKA_CLUSTERS_0_MASKING_0_FIELDS_0": "name",
            "KAFKA_CLUSTERS_0_MASKING_0_FIELDS_1": "mail",
            "KAFKA_CLUSTERS_0_METRICS_PORT": "9404",
            "MANAGEMENT_HEALTH_LDAP_ENABLED": "false",
            "KAFKA_CLUSTERS_0_AUDIT_CONSOLEAUDITENABLED": "true",
            "KAFKA_CLUSTERS_0_SERDE_0_NAME": "ProtobufFile",
            "KAFKA_CLUSTERS_0_SERDE_0_PROPERTIES_PROTOBUFFILES_0": "/a.proto",
            "KAFKA_CLUSTERS_0_SERDE_0_PROPERTIES_PROTOBUFMESSAGENAME": "shop.v1.Order",
        }
    )
    given = made.settings.clusters[0].given
    assert given["kafkaConnect"] == [{"name": "first"}]
    assert given["masking"] == [{"type": "REMOVE", "topicValuesPattern": "a.*", "fields": ["name", "mail"]}]
    assert given["metrics"] == {"port": 9404}
    assert made.settings.clusters[0].audit.to_log
    assert given["serde"][0]["properties"] == {
        "protobufFiles": ["/a.proto"],
        "protobufMessageName": "shop.v1.Order",
    }
    assert [one.split(":")[0] for one in made.remarks] == [
        "kafka.clusters[0].kafkaConnect",
        "kafka.clusters[0].metrics",
    ]


def test_clusters_of_the_environment_take_the_place_of_the_file_s_and_the_rest_is_merged() -> None:
    made = configured(TUTORIAL + "server: {port: 9000, servlet: {context-path: /a}}", {**ONE, "SERVER_PORT": "9001"})
    assert [one.name for one in made.settings.clusters] == ["one"]
    assert (made.settings.port, made.settings.base) == (9001, "/a")
    assert made.remarks == (
        "kafka.clusters of config.yml: has no effect, as clusters are set in a place that goes before it",
    )


def test_placeholders_are_filled_in_from_the_environment() -> None:
    text = (
        "properties:\n  security.protocol: SASL_PLAINTEXT\n  sasl.mechanism: PLAIN\n  sasl.jaas.config: "
        'PlainLoginModule required username="${kafka.user:ann}" password="${KAFKA_WORD}";'
    )
    assert cluster(text, KAFKA_WORD="s3cret").connection().sasl == Sasl("PLAIN", "ann", "s3cret")


# Reaching brokers

SCRAM = """
properties:
  security.protocol: SASL_SSL
  sasl.mechanism: SCRAM-SHA-512
  sasl.jaas.config: >-
    org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="it's \\"so\\";=1";
"""


def test_scram_over_tls_with_a_trust_store_of_java() -> None:
    connection = cluster(
        SCRAM + "ssl: {truststoreLocation: /certs/trust.jks, truststorePassword: store-word}"
    ).connection()
    assert connection.sasl == Sasl("SCRAM-SHA-512", "ann", 'it\'s "so";=1')
    assert connection.tls is not None
    assert connection.tls.check_hostname
    assert connection.tls.cert_store_stats()["x509"] == 1


def test_properties_may_be_variables() -> None:
    made = configured(
        environment={
            **ONE,
            "KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL": "SSL",
            "KAFKA_CLUSTERS_0_PROPERTIES_SSL_TRUSTSTORE_LOCATION": "/certs/trust.jks",
            "KAFKA_CLUSTERS_0_PROPERTIES_SSL_TRUSTSTORE_PASSWORD": STORE_WORD,
            "KAFKA_CLUSTERS_0_PROPERTIES_SSL_KEYSTORE_LOCATION": "/certs/key.jks",
            "KAFKA_CLUSTERS_0_PROPERTIES_SSL_KEYSTORE_PASSWORD": STORE_WORD,
            "KAFKA_CLUSTERS_0_PROPERTIES_SSL_KEY_PASSWORD": KEY_WORD,
            "KAFKA_CLUSTERS_0_PROPERTIES_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM": "",
        }
    )
    tls = made.settings.clusters[0].connection().tls
    assert tls is not None
    assert (tls.check_hostname, tls.verify_mode) == (False, ssl.CERT_REQUIRED)


def test_certificates_may_stand_in_one_line() -> None:
    line = CERTIFICATE.decode().replace("\n", " ")
    tls = cluster(f"properties: {{security.protocol: SSL, ssl.truststore.certificates: '{line}'}}").connection().tls
    assert tls is not None
    assert tls.cert_store_stats()["x509"] == 1


def test_verification_may_be_given_up() -> None:
    tls = cluster("properties: {security: {protocol: ssl}}\nssl: {verifySsl: false}").connection().tls
    assert tls is not None
    assert tls.verify_mode == ssl.CERT_NONE


def test_files_are_read_anew_for_each_connection() -> None:
    one = cluster("properties: {security.protocol: SSL}\nssl: {truststoreLocation: /certs/ca.pem}")
    before = FILES["/certs/ca.pem"]
    try:
        assert one.connection().tls.cert_store_stats()["x509"] == 1
        del FILES["/certs/ca.pem"]
        with pytest.raises(Exception, match=r"ssl.truststore.location: cannot be read: No such file"):
            one.connection()
    finally:
        FILES["/certs/ca.pem"] = before


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('a.B required username="u" password="p";', {"username": "u", "password": "p"}),
        ("a.B required\n  username='u'\n  password='p \"q\"';", {"username": "u", "password": 'p "q"'}),
        ("a.B required username=u password=p=1;", {"username": "u", "password": "p=1"}),
        ('a.B required password="a\\\\b\\"c";', {"password": 'a\\b"c'}),
    ],
)
def test_options_of_a_login_module(text: str, options: dict[str, str]) -> None:
    assert jaas_options(text) == options


# What is wrong

WRONG = {
    "kafka: [a]": ["kafka: ['a'] has no fields; write some of clusters, polling,"],
    "kafka: {clusters: {name: a}}": ["kafka.clusters: {'name': 'a'} is no list; write one"],
    "kafka: {clusters: [{name: a}]}": ["kafka.clusters[0].bootstrapServers: '' names no broker; write host:port"],
    "kafka: {clusters: [{name: a, bootstrapServers: 'a'}]}": [
        "kafka.clusters[0].bootstrapServers: 'a' names no broker; write host:port"
    ],
    "kafka: {clusters: [{bootstrapServers: 'a:1'}]}": ["kafka.clusters[0].name: '' is no name; write one without"],
    "kafka: {clusters: [{name: a, bootstrapServers: 'a:1'}, {name: a, bootstrapServers: 'b:1'}]}": [
        "kafka.clusters: 'a' is the name of several clusters; give each its own"
    ],
    "kafka: {clusters: [{name: a, bootstrapServers: 'a:1', readOnly: perhaps}]}": [
        "kafka.clusters[0].readOnly: 'perhaps' is neither true nor false; write one of them"
    ],
    "server: {port: 80000}": ["server.port: 80000 is out of range; write 0 to 65535"],
    "server: {servlet: {context-path: 'a b'}}": ["server.servlet.contextPath: 'a b' is no path; write letters"],
    "server: {ssl: {enabled: true}}": ["server.ssl.enabled: True is not to be had: put TLS in front"],
    "auth: {type: KERBEROS}": ["auth.type: 'KERBEROS' is no kind of log-in; write one of DISABLED, LOGIN_FORM"],
    "server: {port: '${THE_PORT}'}": ["server.port: '${THE_PORT}' names nothing; set THE_PORT in the environment"],
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_told_with_its_field_its_rule_and_its_mend(text: str) -> None:
    said = wrong(text)
    assert len(said) == len(WRONG[text])
    for line, begin in zip(said, WRONG[text], strict=True):
        assert line.startswith(begin)


WRONG_PARTS = {
    "masking: [{type: HIDE, topicValuesPattern: a}]": "masking: Invalid enum value 'HIDE'",
    "masking: [{type: REMOVE}]": "masking[0]: it holds for no topic; write topicKeysPattern or topicValuesPattern",
    "defaultKeySerde: Marshal": "defaultKeySerde: 'Marshal' is no serde; write one of",
    "serde: [{name: Mine, filePath: /a.jar}]": "serde[0].filePath: '/a.jar' would load foreign code",
    "schemaRegistry: registry": "schemaRegistry: 'registry' is no web address; write http://host:port",
    "schemaRegistry: 'https://r'\nschemaRegistrySsl: {truststoreLocation: /no}": (
        "schemaRegistrySsl.ssl.truststore.location: cannot be read: No such file or directory"
    ),
}


@pytest.mark.parametrize("text", WRONG_PARTS)
def test_what_another_part_refuses_is_told_with_the_cluster_s_place(text: str) -> None:
    with pytest.raises(Unusable) as caught:
        cluster(text)
    assert str(caught.value).startswith(f"kafka.clusters[0].{WRONG_PARTS[text]}")


def test_a_registry_s_certificate_is_checked_against_the_cluster_s_trust_store() -> None:
    registry = cluster("schemaRegistry: 'https://a/, https://b'\nssl: {truststoreLocation: /certs/ca.pem}").registry
    assert registry.urls == ("https://a", "https://b")
    assert registry.tls().cert_store_stats()["x509"] == 1


def test_a_user_in_a_registry_s_address_goes_no_further_than_to_the_registry() -> None:
    registry = cluster("schemaRegistry: 'http://ann:w%40rd@a:81/x/, http://b'").registry
    assert registry.urls == ("http://a:81/x", "http://b")
    assert (registry.username, registry.password) == ("ann", "w@rd")
    for text, said in (
        ("http://a:hid@den@x,http://b:hidden@y", "names several users"),
        ("ftp://a:hidden@x", "is no web"),
    ):
        with pytest.raises(Unusable, match=said) as caught:
            cluster(f"schemaRegistry: '{text}'")
        assert "hid" not in str(caught.value)


WRONG_CLIENTS = {
    "security.protocol: TLS": "properties.security.protocol: 'TLS' is no protocol; write one of PLAINTEXT, SSL",
    "security.protocol: SASL_SSL": "properties.sasl.mechanism: 'GSSAPI' is not to be had here; write one of PLAIN",
    "security.protocol: SASL_SSL, sasl.mechanism: PLAIN": "properties.sasl.jaas.config: '' is not set; write",
    "security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.jaas.config: 'a.ScramLoginModule required;'": (
        "properties.sasl.jaas.config: what is set is not the module of PLAIN; write PlainLoginModule"
    ),
    "security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.jaas.config: 'a.PlainLoginModule required;'": (
        "properties.sasl.jaas.config: what is set has no username or password; write username="
    ),
    "security.protocol: SSL, ssl.truststore.location: /no": (
        "properties.ssl.truststore.location: '/no' cannot be read: No such file or directory; mount the file there"
    ),
    "security.protocol: SSL, ssl.truststore.location: /certs/trust.jks": (
        "properties.ssl.truststore.location: '/certs/trust.jks' cannot be used: the password is wrong"
    ),
    "security.protocol: SSL, ssl.keystore.location: /certs/ca.pem": (
        "properties.ssl.keystore.location: '/certs/ca.pem' holds no key; name another"
    ),
    "request.timeout.ms: soon": "properties.request.timeout.ms: 'soon' is no time; write milliseconds",
}


@pytest.mark.parametrize("properties", WRONG_CLIENTS)
def test_a_client_that_cannot_be_is_told_at_the_start(properties: str) -> None:
    (said,) = wrong(f"kafka: {{clusters: [{{name: a, bootstrapServers: 'a:1', properties: {{{properties}}}}}]}}")
    assert said.startswith(f"kafka.clusters[0].{WRONG_CLIENTS[properties]}")


def test_everything_wrong_is_told_at_once_and_no_password_with_it() -> None:
    said = wrong(
        "kafka:\n  clusters:\n  - name: a\n    bootstrapServers: 'a:1'\n    schemaRegistryAuth: {password: [hidden]}\n"
        "server: {port: high}\n"
    )
    assert said == [
        "kafka.clusters[0].schemaRegistryAuth.password: what is set is no single value; write one",
        "server.port: 'high' is no whole number; write digits",
    ]


@pytest.mark.parametrize("kind", ["LOGIN_FORM", "OAUTH2", "LDAP"])
def test_a_console_that_was_to_ask_for_a_password_does_not_run_without(kind: str) -> None:
    """Here nothing says whose."""
    (said,) = wrong(f"auth: {{type: {kind}}}")
    assert "is not there; write" in said


FORM = {**ONE, "AUTH_TYPE": "LOGIN_FORM", "SPRING_SECURITY_USER_NAME": "ann", "SPRING_SECURITY_USER_PASSWORD": "word"}
GOOGLE = """
auth:
  type: OAUTH2
  oauth2:
    client:
      google:
        provider: google
        client-id: id
        clientSecret: ${GOOGLE_SECRET}
        custom-params: {type: google, allowedDomain: example.com}
rbac:
  roles:
  - name: readers
    clusters: [one]
    subjects: [{provider: oauth_google, type: domain, value: example.com}]
    permissions: [{resource: topic, value: ".*", actions: [view]}]
"""
ACTIVE_DIRECTORY = {
    **ONE,
    "AUTH_TYPE": "LDAP",
    "SPRING_LDAP_URLS": "ldaps://directory:636",
    "OAUTH2_LDAP_ACTIVEDIRECTORY": "true",
    "OAUTH2_LDAP_ACTIVEDIRECTORY_DOMAIN": "example.com",
}


def test_one_user_s_name_and_password_are_variables() -> None:
    auth = configured(environment=FORM).settings.access.auth
    assert isinstance(auth, Form)
    assert set(auth.accounts) == {"ann"}


def test_a_provider_and_roles_stand_in_yaml() -> None:
    read = configured(GOOGLE, {**ONE, "GOOGLE_SECRET": "hidden-word"}).settings.access
    assert isinstance(read.auth, OpenId)
    google = read.auth.providers["google"]
    assert (google.client_id, google.client_secret, google.allowed_domain) == ("id", "hidden-word", "example.com")
    assert read.roles is not None
    assert [role.name for role in read.roles.named] == ["readers"]


def test_an_active_directory_may_be_told_by_variables() -> None:
    auth = configured(environment=ACTIVE_DIRECTORY).settings.access.auth
    assert isinstance(auth, Ldap)
    assert (auth.kind, auth.domain) == ("ldap_ad", "example.com")


def test_kafka_ui_s_documents_spell_the_domain_with_a_cyrillic_letter() -> None:
    variables = {name: value for name, value in ACTIVE_DIRECTORY.items() if not name.endswith("DOMAIN")}
    auth = configured("oauth2: {ldap: {a\u0441tiveDirectory.domain: example.com}}", variables).settings.access.auth
    assert isinstance(auth, Ldap)
    assert auth.domain == "example.com"


def test_secrets_are_in_no_representation() -> None:
    made = configured(TUTORIAL.replace("name: yaml", "name: yaml\n      schemaRegistryAuth: {password: hidden-word}"))
    assert "hidden-word" not in repr(made)


# What has no effect

REMARKS = {
    "kafka: {clusterz: []}": "kafka.clusterz: is not known; did you mean clusters?",
    "grafana: {}": "grafana: is not known, and has no effect",
    "kafka: {polling: {pollTimeoutMs: 5000}}": "kafka.polling.pollTimeoutMs: has no use here: reading stops at the",
    "dynamic: {config: {enabled: true}}": "dynamic.config.enabled: its file is read; clusters are not changed",
    "kafka: {clusters: [{name: a, bootstrapServers: 'a:1', ksqldbServer: 'http://k'}]}": (
        "kafka.clusters[0].ksqldbServer: has no use here: there is no page for ksqlDB"
    ),
    "kafka: {clusters: [{name: a, bootstrapServers: 'a:1', properties: {max.poll.records: 5}}]}": (
        "kafka.clusters[0].properties: no use for max.poll.records: they tune Kafka's Java client"
    ),
    "kafka: {clusters: [{name: a, bootstrapServers: 'a:1'}]}\nrbac: {defaultRole: {clusters: [a], permissions: "
    "[{resource: topic, value: x, actions: [view]}]}}": "rbac: has no effect while auth.type is DISABLED",
    "server: {port: 8080}": "kafka.clusters: names no cluster; write name and bootstrapServers of one",
}


@pytest.mark.parametrize("text", REMARKS)
def test_what_has_no_effect_is_told_with_its_reason(text: str) -> None:
    assert any(one.startswith(REMARKS[text]) for one in configured(text).remarks)


def test_an_unknown_variable_is_told_with_a_similar_one() -> None:
    made = configured(environment={**ONE, "KAFKA_CLUSTERS_0_BOOTSTRAPSERVER": "b:9092"})
    assert made.remarks == (
        "KAFKA_CLUSTERS_0_BOOTSTRAPSERVER: is not known; did you mean KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS?",
    )


def test_what_kubernetes_says_about_services_is_not_meant_for_the_console() -> None:
    made = configured(
        environment={
            **ONE,
            "KAFKA_UI_PORT": "tcp://10.0.0.1:80",
            "KAFKA_UI_SERVICE_HOST": "10.0.0.1",
            "SERVER_PORT": "tcp://10.0.0.1:80",
        }
    )
    assert made.settings.port == 8080
    assert made.remarks == ("SERVER_PORT: is Kubernetes' own word about a Service named server, and has no effect",)


# Where files are


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, []),
        ({"SPRING_CONFIG_ADDITIONAL-LOCATION": "/kafka-ui/config.yml"}, [Place("/kafka-ui/config.yml")]),
        (
            {"SPRING_CONFIG_ADDITIONALLOCATION": "file:/a.yml, optional:file:/etc/ui/"},
            [Place("/a.yml"), Place("/etc/ui/application.yml", optional=True)],
        ),
        ({"DYNAMIC_CONFIG_ENABLED": "true"}, [Place("/etc/kafkaui/dynamic_config.yaml", optional=True)]),
        ({"DYNAMIC_CONFIG_ENABLED": "false", "DYNAMIC_CONFIG_PATH": "/d.yml"}, []),
        ({"DYNAMIC_CONFIG_ENABLED": "true", "DYNAMIC_CONFIG_PATH": "/d.yml"}, [Place("/d.yml", optional=True)]),
    ],
)
def test_files_are_those_that_spring_would_read(environment: dict[str, str], found: list[Place]) -> None:
    assert places(environment) == found
