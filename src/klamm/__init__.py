"""klamm runs Apache Kafka for people: Strimzi's manifests on one machine and on Kubernetes."""

__version__ = "0.1.0"
