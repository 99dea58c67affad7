{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* KubeRay makes longer names of it, and a RayJob's name has at most 47 characters. */}}
{{- define "sglang-ray.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 30 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 30 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "sglang-ray.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "sglang-ray.service" -}}
{{ .Values.service.name | default (include "sglang-ray.fullname" .) }}
{{- end }}

{{- define "sglang-ray.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The fleet with the keys that the chart sets. */}}
{{- define "sglang-ray.fleet" -}}
{{- $nodes := add1 .Values.workers.replicas | int }}
{{- $router := dict "port" (int .Values.service.port) }}
{{- $server := dict }}
{{- if .Values.apiKey.existingSecret }}
{{- $_ := set $router "api_key" "${oc.env:SGLANG_RAY_API_KEY}" }}
{{- $_ := set $server "api_key" "${oc.env:SGLANG_RAY_API_KEY}" }}
{{- end }}
{{- $block := dict "server" $server "router" $router "metrics" (dict "port" (int .Values.metrics.port) "host" "0.0.0.0") }}
{{- if .Values.fleetPage.enabled }}
{{- $_ := set $block "dashboard" (dict "port" (int .Values.fleetPage.port) "host" "0.0.0.0") }}
{{- end }}
{{- toYaml (mergeOverwrite (deepCopy .Values.fleet) (dict "cluster" (dict "num_nodes" $nodes) "router_server_args" $block)) }}
{{- end }}

{{- define "sglang-ray.config" -}}
{{ include "sglang-ray.fullname" . }}-fleet
{{- end }}

{{- define "sglang-ray.up" -}}
sglang-ray up -c /etc/sglang-ray/fleet.yaml
{{- range .Values.upArguments }} {{ . }}{{ end }}
{{- end }}

{{/*
When the head's pod gets requests. The head has the owner, which answers /readyz, and the router.

KubeRay submits the job only once all pods are ready, so before there is a fleet the pod is ready when Ray is. During the launch,
and later, it is ready when the fleet is: the Service then sends requests only to a router that serves. Nothing but Services sees
this: Ray's nodes find the head by a Service that publishes pods that are not ready.

There is no liveness probe here, so that KubeRay's own is used, which asks for Ray alone. An engine that died is healed by its worker
in seconds; a pod that is restarted for it would take all engines with it.
*/}}
{{- define "sglang-ray.ready" -}}
answers() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  read -r _ status _ <&3
  [[ $status == 200 ]]
}
answers {{ get .Values.head.rayStartParams "dashboard-agent-listen-port" | default 52365 }} /api/healthz || exit 1
(exec 3<>/dev/tcp/127.0.0.1/{{ .Values.metrics.port }}) || exit 0
answers {{ .Values.metrics.port }} /readyz
{{- end }}

{{- define "sglang-ray.modelVolume" -}}
{{- if .Values.model.existingClaim }}persistentVolumeClaim: {claimName: {{ .Values.model.existingClaim }}, readOnly: {{ .Values.model.readOnly }}}
{{- else if .Values.model.hostPath }}hostPath: {path: {{ .Values.model.hostPath }}, type: Directory}
{{- else if .Values.model.create.size }}persistentVolumeClaim: {claimName: {{ include "sglang-ray.fullname" . }}-models, readOnly: {{ .Values.model.readOnly }}}
{{- end }}
{{- end }}

{{/* A pod of Ray: a dict with the root, the values of its group, and whether it is the head. */}}
{{- define "sglang-ray.pod" -}}
{{- $ := .root }}
{{- $group := .group }}
{{- $model := include "sglang-ray.modelVolume" $ }}
metadata:
  labels:
    {{- /* Not app.kubernetes.io/name: the Service by which Ray's nodes find the head selects it with KubeRay's own value. */}}
    app.kubernetes.io/instance: {{ $.Release.Name }}
    {{- if .head }}
    sglang-ray/router: {{ include "sglang-ray.service" $ }}
    {{- end }}
    {{- with $group.labels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $group.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  {{- with $.Values.image.pullSecrets }}
  imagePullSecrets: {{ range . }}
    - name: {{ . }}
  {{- end }}{{ end }}
  securityContext: {{- toYaml $.Values.podSecurityContext | nindent 4 }}
  containers:
    - name: ray-{{ .head | ternary "head" "worker" }}
      image: {{ include "sglang-ray.image" $ }}
      imagePullPolicy: {{ $.Values.image.pullPolicy }}
      securityContext: {{- toYaml $.Values.securityContext | nindent 8 }}
      {{- if .head }}
      ports:
        - {name: gcs-server, containerPort: 6379}
        - {name: dashboard, containerPort: 8265}
        - {name: client, containerPort: 10001}
        - {name: router, containerPort: {{ $.Values.service.port }}}
        - {name: fleet-metrics, containerPort: {{ $.Values.metrics.port }}}
        {{- if $.Values.fleetPage.enabled }}
        - {name: fleet-page, containerPort: {{ $.Values.fleetPage.port }}}
        {{- end }}
      readinessProbe:
        exec:
          command:
            - bash
            - -c
            - | {{- include "sglang-ray.ready" $ | nindent 14 }}
        initialDelaySeconds: 10
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- end }}
      {{- if or $group.env (and .head $.Values.apiKey.existingSecret) }}
      env:
        {{- if and .head $.Values.apiKey.existingSecret }}
        - name: SGLANG_RAY_API_KEY
          valueFrom: {secretKeyRef: {name: {{ $.Values.apiKey.existingSecret }}, key: {{ $.Values.apiKey.key }}}}
        {{- end }}
        {{- with $group.env }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- end }}
      resources:
        {{- if .head }}
        {{- toYaml $group.resources | nindent 8 }}
        {{- else }}
        {{- $gpus := dict $group.gpuResource (int $group.gpus) }}
        {{- toYaml (mergeOverwrite (deepCopy $group.resources) (dict "requests" $gpus "limits" $gpus)) | nindent 8 }}
        {{- end }}
      volumeMounts:
        - {name: shared-memory, mountPath: /dev/shm}
        {{- if .head }}
        - {name: fleet, mountPath: /etc/sglang-ray, readOnly: true}
        {{- end }}
        {{- if $model }}
        - {name: models, mountPath: {{ $.Values.model.mountPath }}, readOnly: {{ $.Values.model.readOnly }}}
        {{- end }}
  volumes:
    - name: shared-memory
      emptyDir: {medium: Memory, sizeLimit: {{ $group.sharedMemory }}}
    {{- if .head }}
    - name: fleet
      configMap: {name: {{ include "sglang-ray.config" $ }}}
    {{- end }}
    {{- if $model }}
    - name: models
      {{ $model }}
    {{- end }}
  {{- with $group.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $group.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $group.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The spec of a RayCluster. */}}
{{- define "sglang-ray.cluster" -}}
rayVersion: {{ .Values.rayVersion | quote }}
{{- if .Values.rayAuth.enabled }}
authOptions:
  mode: token
  {{- with .Values.rayAuth.existingSecret }}
  secretName: {{ . }}
  {{- end }}
{{- end }}
headGroupSpec:
  rayStartParams: {{- toYaml .Values.head.rayStartParams | nindent 4 }}
  template: {{- include "sglang-ray.pod" (dict "root" . "group" .Values.head "head" true) | trim | nindent 4 }}
workerGroupSpecs:
  - groupName: workers
    # Not by Ray's autoscaler: a fleet places its engines on the nodes that there are.
    replicas: {{ .Values.workers.replicas }}
    minReplicas: {{ .Values.workers.replicas }}
    maxReplicas: {{ .Values.workers.replicas }}
    rayStartParams: {{- toYaml .Values.workers.rayStartParams | nindent 6 }}
    {{- with .Values.workers.rayLabels }}
    labels: {{- toYaml . | nindent 6 }}
    {{- end }}
    template: {{- include "sglang-ray.pod" (dict "root" . "group" .Values.workers "head" false) | trim | nindent 6 }}
{{- end }}

{{/* The pod that runs `ray job submit`. KubeRay adds command, address, id and token; its own template has no securityContext. */}}
{{- define "sglang-ray.submitter" -}}
metadata:
  labels:
    app.kubernetes.io/instance: {{ .Release.Name }}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets: {{ range . }}
    - name: {{ . }}
  {{- end }}{{ end }}
  securityContext: {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: ray-job-submitter
      image: {{ include "sglang-ray.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext: {{- toYaml .Values.securityContext | nindent 8 }}
      resources:
        requests: {cpu: 500m, memory: 512Mi}
        limits: {cpu: "1", memory: 1Gi}
{{- end }}
