"""ZooKeeper's settings: those that users may change travel in an environment variable, the rest is the script's.

The launch script adds what must hold in every ensemble of ours: TLS on all ports, dynamic reconfiguration, the list of
servers, the plain port on loopback only.
"""

from klamm.desired.jmx_exporter import METRICS_CONFIG
from klamm.desired.logging import LOG4J, ZOOKEEPER_LOGGERS, log4j
from klamm.desired.properties import Properties
from klamm.desired.templates import metadata
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.releases.reserved import ZOOKEEPER
from klamm.resources.native.configuration import ConfigMap

_DEFAULTS = {
    "tickTime": 2000,
    "initLimit": 5,
    "syncLimit": 2,
    "autopurge.purgeInterval": 1,
    "admin.enableServer": False,
}


def zookeeper_configuration(ensemble: Ensemble) -> str:
    """The lines of zoo.cfg that follow from the resource (environment variable ZOOKEEPER_CONFIGURATION)."""
    used, _ = ZOOKEEPER.split(ensemble.spec.config)
    properties = Properties()
    properties.update({**_DEFAULTS, **used}.items())
    return properties.text()


def zookeeper_logging(ensemble: Ensemble, inputs: EnsembleInputs) -> str:
    return log4j(ZOOKEEPER_LOGGERS, ensemble.spec.logging, inputs.external_logging)


def config_map(ensemble: Ensemble, inputs: EnsembleInputs) -> ConfigMap:
    """The files that all nodes share."""
    data = {
        LOG4J: zookeeper_logging(ensemble, inputs),
        "zookeeper.node-count": str(len(ensemble.pods)),
    }
    if inputs.metrics is not None:
        data[METRICS_CONFIG] = inputs.metrics
    place = metadata(ensemble.component, ensemble.config_map, ensemble.namespace, ensemble.owner)
    return ConfigMap(metadata=place, data=data)
