{{/* Names as kafka-ui's charts have them: the release's own where it holds the chart's name already. */}}
{{- define "kafka-ui.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kafka-ui.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $joined := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ .Values.fullnameOverride | default $joined | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kafka-ui.selector" -}}
app.kubernetes.io/name: {{ include "kafka-ui.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kafka-ui.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "kafka-ui.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* With people's own, which go before ours: none may stand there twice. Takes (list root theirs). */}}
{{- define "kafka-ui.labelsWith" -}}
{{ merge (deepCopy (index . 1 | default dict)) (include "kafka-ui.labels" (index . 0) | fromYaml) | toYaml }}
{{- end }}

{{- define "kafka-ui.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "kafka-ui.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "kafka-ui.image" -}}
{{ list .Values.image.registry .Values.image.repository | compact | join "/" }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What YAML or variables say of the server; variables go before, as in the console itself. */}}
{{- define "kafka-ui.contextPath" -}}
{{- $server := dig "server" "servlet" dict .Values.yamlApplicationConfig -}}
{{- $path := .Values.envs.config.SERVER_SERVLET_CONTEXT_PATH | default (index $server "context-path") | default (index $server "contextPath") | default "" -}}
{{- with $path | trimAll "/" -}}/{{ . }}{{- end -}}
{{- end }}

{{- define "kafka-ui.port" -}}
{{ .Values.envs.config.SERVER_PORT | default (dig "server" "port" 0 .Values.yamlApplicationConfig) | default 8080 | int }}
{{- end }}

{{- define "kafka-ui.probe" -}}
httpGet:
  path: {{ include "kafka-ui.contextPath" (index . 0) }}/actuator/health
  port: http
{{ toYaml (index . 1) }}
{{- end }}

{{/* A Service's port by its number, or by its name. */}}
{{- define "kafka-ui.portOf" -}}
{{- if kindIs "string" . -}}{{ dict "name" . | toJson }}{{- else -}}{{ dict "number" (int .) | toJson }}{{- end -}}
{{- end }}

{{/* A variable's value. Helm reads numbers as floating ones, and would write a million as 1e+06. */}}
{{- define "kafka-ui.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end }}
