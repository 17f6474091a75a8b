"""What Prometheus and Grafana need to watch over klamm's clusters: pod monitors, alerts and dashboards, as plain data.

The same data becomes manifests for the Prometheus Operator (examples/metrics, the chart) and the configuration of the
Prometheus that runs on one machine, so that an alert or a panel means the same in both places. Names of alerts,
pod monitors, labels and metrics are the ones that Strimzi's users know; expressions and words are our own.

`scraping` who is asked and what their series are called by; `alerts`, and the rules in `rules/`; `dashboards/`;
`manifests` for the Prometheus Operator; `one_machine` the same as objects of a local cluster.
"""
