{{/* Generated from src/klamm/desired/cluster_operator by make generate; do not edit. */}}
{{- define "klamm.kafkaVersions" -}}
3.5.0 3.5.1 3.6.0
{{- end }}
