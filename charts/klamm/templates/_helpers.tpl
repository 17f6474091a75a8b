{{/* Labels of every object. `app: strimzi` is what people select an installation by. */}}
{{- define "klamm.labels" -}}
app: strimzi
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
release: {{ .Release.Name | quote }}
heritage: {{ .Release.Service }}
{{- end }}

{{/* The same with people's own, which go before ours: none may stand there twice. Takes (list root theirs more). */}}
{{- define "klamm.labelsWith" -}}
{{- $ours := include "klamm.labels" (index . 0) | fromYaml -}}
{{ merge (deepCopy (index . 1 | default dict)) (index . 2) $ours | toYaml }}
{{- end }}

{{/* The namespaces to look after, as a JSON list; empty for all. */}}
{{- define "klamm.watched" -}}
{{- if .Values.watchAnyNamespace -}}
[]
{{- else -}}
{{ prepend .Values.watchNamespaces .Release.Namespace | uniq | toJson }}
{{- end -}}
{{- end }}

{{/* Where an image is pulled from, without its tag. Takes (list root block). */}}
{{- define "klamm.repository" -}}
{{- $values := (index . 0).Values -}}
{{- $image := index . 1 -}}
{{- $registry := $image.registry | default $values.defaultImageRegistry -}}
{{- $repository := $image.repository | default $values.defaultImageRepository -}}
{{- list $registry $repository $image.name | compact | join "/" -}}
{{- end }}

{{- define "klamm.defaultTag" -}}
{{ .Values.defaultImageTag | default .Chart.AppVersion }}
{{- end }}

{{/* One image. Takes (list root block). */}}
{{- define "klamm.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ include "klamm.repository" . }}@{{ $image.digest }}
{{- else -}}
{{ include "klamm.repository" . }}:{{ $image.tag | default (include "klamm.defaultTag" (index . 0)) }}
{{- end -}}
{{- end }}

{{/* The exporter's image. Strimzi's default values name its Kafka image, which holds none of klamm's programs. */}}
{{- define "klamm.exporterImage" -}}
{{- $image := .Values.kafkaExporter.image -}}
{{- if eq $image.name "kafka" -}}
{{- $image = merge (dict "name" "operator") $image -}}
{{- end -}}
{{ include "klamm.image" (list . $image) }}
{{- end }}

{{/* `version=image` lines, so that `kubectl describe` lists the versions. */}}
{{- define "klamm.kafkaImages" -}}
{{- $repository := include "klamm.repository" (list . .Values.kafka.image) -}}
{{- $tag := .Values.kafka.image.tagPrefix | default (include "klamm.defaultTag" .) -}}
{{- range splitList " " (include "klamm.kafkaVersions" .) }}
{{ . }}={{ $repository }}:{{ $tag }}-kafka-{{ . }}
{{- end }}
{{- end }}
