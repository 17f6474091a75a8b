"""Every setting that kafka-ui's users write, and why some of them have no use here.

The names are those of kafka-ui 0.7.2 (provectus) and of its successor (kafbat 1.5).
"""

from collections.abc import Mapping

from klamm.console.configuring.spelling import Fields, Many, Named, Number, Properties, Text, Truth, Whatever

_PORT = Number(0, 65535)
_AUTH = Fields({"username": Text(), "password": Text()})
_SSL = Fields(
    {
        "truststoreLocation": Text(),
        "truststorePassword": Text(),
        "keystoreLocation": Text(),
        "keystorePassword": Text(),
        "keyPassword": Text(),
        "verifySsl": Truth(),
        "verify": Truth(),
    }
)
_OF_KEYS = {"keystoreLocation": Text(), "keystorePassword": Text()}

CONNECT = Fields(
    {
        "name": Text(),
        "address": Text(),
        "username": Text(),
        "password": Text(),
        **_OF_KEYS,
        "truststoreLocation": Text(),
        "truststorePassword": Text(),
        "consumerNamePattern": Text(),
    }
)
_OF_SERDES = (
    "protobufFile",
    "protobufFiles",
    "protobufFilesDir",
    "protobufMessageName",
    "protobufMessageNameByTopic",
    "protobufMessageNameForKey",
    "protobufMessageNameForKeyByTopic",
)
"""Variables have no capitals within words; these names get theirs back."""

SERDE = Fields(
    {
        "name": Text(),
        "className": Text(),
        "filePath": Text(),
        "properties": Named(Whatever(), _OF_SERDES),
        "topicKeysPattern": Text(),
        "topicValuesPattern": Text(),
    }
)
MASKING = Fields(
    {
        "type": Text(),
        "fields": Many(Text()),
        "fieldsNamePattern": Text(),
        "maskingCharsReplacement": Many(Text()),
        "pattern": Many(Text()),
        "replacement": Text(),
        "topicKeysPattern": Text(),
        "topicValuesPattern": Text(),
    }
)
AUDIT = Fields(
    {
        "topic": Text(),
        "auditTopicsPartitions": Number(1),
        "topicAuditEnabled": Truth(),
        "consoleAuditEnabled": Truth(),
        "auditTopicProperties": Properties(),
        "level": Text(),
    }
)
METRICS = Fields(
    {
        "type": Text(),
        "port": _PORT,
        "ssl": Truth(),
        "username": Text(),
        "password": Text(),
        **_OF_KEYS,
        "truststoreLocation": Text(),
        "truststorePassword": Text(),
        "prometheusExpose": Truth(),
        "store": Whatever(),
    }
)
CLUSTER = Fields(
    {
        "name": Text(),
        "bootstrapServers": Text(),
        "properties": Properties(),
        "consumerProperties": Properties(),
        "producerProperties": Properties(),
        "ssl": _SSL,
        "readOnly": Truth(),
        "schemaRegistry": Text(),
        "schemaRegistryAuth": _AUTH,
        "schemaRegistrySsl": _SSL,
        "schemaRegistryTopicSubjectSuffix": Text(),
        "kafkaConnect": Many(CONNECT),
        "ksqldbServer": Text(),
        "ksqldbServerAuth": _AUTH,
        "ksqldbServerSsl": _SSL,
        "metrics": METRICS,
        "serde": Many(SERDE),
        "defaultKeySerde": Text(),
        "defaultValueSerde": Text(),
        "masking": Many(MASKING),
        "pollingThrottleRate": Number(),
        "audit": AUDIT,
        "zookeeper": Text(),
    }
)
_KAFKA = Fields(
    {
        "clusters": Many(CLUSTER),
        "polling": Fields(
            {
                "pollTimeoutMs": Number(),
                "maxPageSize": Number(1),
                "defaultPageSize": Number(1),
                "responseTimeoutMs": Number(),
            }
        ),
        "internalTopicPrefix": Text(),
        "adminClientTimeout": Number(1),
        "updateMetricsRateMillis": Number(1000),
        "connectApiTimeout": Number(),
        "cache": Whatever(),
        "fts": Whatever(),
    }
)
_OAUTH_CLIENT = Fields(
    {
        "clientId": Text(),
        "clientSecret": Text(),
        "clientName": Text(),
        "provider": Text(),
        "scope": Many(Text()),
        "redirectUri": Text(),
        "authorizationGrantType": Text(),
        "clientAuthenticationMethod": Text(),
        "issuerUri": Text(),
        "authorizationUri": Text(),
        "tokenUri": Text(),
        "userInfoUri": Text(),
        "jwkSetUri": Text(),
        "userNameAttribute": Text(),
        "customParams": Named(Text()),
    }
)
_AUTH_OF_ALL = Fields(
    {
        "type": Text(),
        "oauth2": Fields({"client": Named(_OAUTH_CLIENT), "resourceServer": Whatever()}),
        "users": Many(Fields({"name": Text(), "password": Text(), "groups": Many(Text())})),
        "ldap": Whatever(),
        "accessTokens": Whatever(),
    }
)
_SUBJECT = Fields({"provider": Text(), "type": Text(), "value": Text(), "regex": Truth(), "isRegex": Truth()})
_ROLE = Fields(
    {
        "name": Text(),
        "clusters": Many(Text()),
        "subjects": Many(_SUBJECT),
        "permissions": Many(Fields({"resource": Text(), "value": Text(), "actions": Many(Text())})),
    }
)
_LDAP = Fields(
    {
        "urls": Text(),
        "base": Text(),
        "dnPattern": Text(),
        "userDn": Text(),
        "adminUser": Text(),
        "adminPassword": Text(),
        "userFilterSearchBase": Text(),
        "userFilterSearchFilter": Text(),
        "groupFilterSearchBase": Text(),
        "groupFilterSearchFilter": Text(),
        "groupRoleAttribute": Text(),
        "trustedCertificates": Text(),
        "activeDirectory": Truth(),
        "activeDirectory.domain": Text(),
        # kafka-ui's own documents write the first "c" in Cyrillic, and people paste it.
        "a\u0441tiveDirectory.domain": Text(),
    }
)
_REGISTRATION = Named(_OAUTH_CLIENT)
_SPRING = Fields(
    {
        "security": Fields(
            {
                "user": Fields({"name": Text(), "password": Text(), "roles": Many(Text())}),
                "oauth2": Fields({"client": Fields({"registration": _REGISTRATION, "provider": _REGISTRATION})}),
            }
        ),
        "ldap": _LDAP,
        "config": Fields({"additionalLocation": Text(), "location": Text(), "import": Text()}),
        "servlet": Whatever(),
        "webflux": Whatever(),
        "codec": Whatever(),
        "jmx": Whatever(),
        "profiles": Whatever(),
        "main": Whatever(),
        "application": Whatever(),
    }
)
ALL = Fields(
    {
        "kafka": _KAFKA,
        "auth": _AUTH_OF_ALL,
        "rbac": Fields({"roles": Many(_ROLE), "defaultRole": _ROLE}),
        "oauth2": Fields({"ldap": _LDAP}),
        "spring": _SPRING,
        "server": Fields(
            {
                "port": _PORT,
                "address": Text(),
                "servlet": Fields({"contextPath": Text(), "session": Whatever()}),
                "ssl": Fields({"enabled": Truth(), "keyStore": Text(), "keyStorePassword": Text()}),
                "forwardHeadersStrategy": Text(),
                "reactive": Whatever(),
                "compression": Whatever(),
                "maxHttpRequestHeaderSize": Text(),
            }
        ),
        "management": Fields(
            {
                "health": Named(Whatever()),
                "endpoint": Whatever(),
                "endpoints": Whatever(),
                "server": Whatever(),
                "metrics": Whatever(),
            }
        ),
        "logging": Fields({"level": Properties(), "file": Whatever(), "pattern": Whatever()}),
        "dynamic": Fields({"config": Fields({"enabled": Truth(), "path": Text()})}),
        "config": Whatever(),
        "webclient": Whatever(),
        "swagger": Whatever(),
        "odd": Whatever(),
        "cors": Whatever(),
        "filtering": Whatever(),
        "gen": Whatever(),
    }
)

ROOTS = ("KAFKA_CLUSTERS_", "KAFKA_POLLING_", "AUTH_", "RBAC_", "SPRING_", "SERVER_", "DYNAMIC_CONFIG_", "MANAGEMENT_")
"""Variables with these beginnings are meant for us. Kubernetes sets others (KAFKA_UI_PORT, …) for every Service."""

UNUSED: Mapping[str, str] = {
    "kafka.internalTopicPrefix": "Kafka says itself which topics are its own",
    "kafka.connectApiTimeout": "each call has an end of its own",
    "kafka.cache": "pages read one snapshot, not each a cache",
    "kafka.fts": "lists are searched in memory",
    "kafka.polling.pollTimeoutMs": "reading stops at the ends of partitions, so there is nothing to wait for",
    "kafka.polling.responseTimeoutMs": "reading stops at the ends of partitions, so there is nothing to wait for",
    "kafka.polling.maxPageSize": "how much a page holds is chosen where it is read",
    "kafka.polling.defaultPageSize": "how much a page holds is chosen where it is read",
    "spring.servlet": "there is no Spring here",
    "spring.webflux": "there is no Spring here",
    "spring.codec": "there is no Spring here",
    "spring.jmx": "there is no JVM here",
    "spring.profiles": "there is no Spring here",
    "spring.main": "there is no Spring here",
    "server.forwardHeadersStrategy": "the base path is server.servlet.context-path, and links are relative to it",
    "server.reactive": "sessions end by themselves",
    "server.compression": "answers are compressed always",
    "server.maxHttpRequestHeaderSize": "headers may have 8 KB",
    "management.endpoint": "of the actuator there is health only",
    "management.endpoints": "of the actuator there is health only",
    "management.server": "health is answered at the console's own port",
    "management.metrics": "of the actuator there is health only",
    "logging.file": "the log goes to standard error",
    "logging.pattern": "the log has one form",
    "webclient": "answers of others have a limit of their own",
    "swagger": "the API's document is at /api/openapi.json",
    "odd": "nothing is exported to Open Data Discovery",
    "cors": "pages and API have one origin",
    "filtering": "there is no Groovy here",
    "gen": "there is nothing to generate",
}
"""By path: accepted without a use, and why."""

UNUSED_OF_CLUSTER: Mapping[str, str] = {
    "consumerProperties": "records are read over the connection of `properties`",
    "producerProperties": "records are written over the connection of `properties`",
    "schemaRegistryTopicSubjectSuffix": "a schema is found by the id that its record names",
    "kafkaConnect": "there is no page for Kafka Connect yet",
    "metrics": "brokers are asked by Kafka's own protocol; their metrics are Prometheus' part",
    "ksqldbServer": "there is no page for ksqlDB",
    "ksqldbServerAuth": "there is no page for ksqlDB",
    "ksqldbServerSsl": "there is no page for ksqlDB",
    "pollingThrottleRate": "what is read is limited by records and time",
    "zookeeper": "Kafka is asked, never ZooKeeper",
}
