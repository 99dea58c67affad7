// SPDX-License-Identifier: Apache-2.0

// Prints what KubeRay's operator makes of a manifest: the pods of the head and of each worker group, the head's Service, and how the
// job is submitted. It is the operator's own code, at the version in go.mod; unknown fields and what the operator refuses are errors.
//
//	go run . ../rayjob.yaml
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/common"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils/dashboardclient"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// What the operator sets by chance or after a look at the cluster.
const (
	clusterSuffix = "-r8xk2"
	jobID         = "fleet-0"
)

type output struct {
	Manifest    string                  `json:"manifest"` // the SHA-256 of its file
	KubeRay     string                  `json:"kuberay"`
	Head        corev1.Pod              `json:"head"`
	Workers     []group                 `json:"workers"`
	HeadService *corev1.Service         `json:"headService"`
	Request     *types.RayJobRequest    `json:"request,omitempty"` // of HTTPMode
	Submitter   *corev1.PodTemplateSpec `json:"submitter,omitempty"`
}

type group struct {
	Name     string     `json:"name"`
	Replicas int32      `json:"replicas"`
	Pod      corev1.Pod `json:"pod"`
}

func main() {
	made, err := read(os.Args[1])
	if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(made)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

func read(file string) (*output, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var job *v1.RayJob
	var cluster *v1.RayCluster
	documents := k8syaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		switch kind.Kind {
		case "RayJob":
			job = &v1.RayJob{}
			err = yaml.UnmarshalStrict(document, job)
		case "RayCluster":
			cluster = &v1.RayCluster{}
			err = yaml.UnmarshalStrict(document, cluster)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
	}
	if job == nil {
		return nil, errors.New("no RayJob")
	}
	if err := errors.Join(utils.ValidateRayJobMetadata(job.ObjectMeta), utils.ValidateRayJobSpec(job)); err != nil {
		return nil, err
	}
	if cluster == nil {
		cluster = clusterOf(job)
	} else if job.Spec.ClusterSelector[utils.RayJobClusterSelectorKey] != cluster.Name {
		return nil, errors.New("the RayJob selects another RayCluster")
	}
	made, err := build(context.Background(), job, cluster)
	if err == nil {
		made.Manifest = fmt.Sprintf("%x", sha256.Sum256(text))
	}
	return made, err
}

// As constructRayClusterForRayJob of rayjob_controller.go.
func clusterOf(job *v1.RayJob) *v1.RayCluster {
	labels := map[string]string{
		utils.RayOriginatedFromCRNameLabelKey: job.Name,
		utils.RayOriginatedFromCRDLabelKey:    utils.RayOriginatedFromCRDLabelValue(utils.RayJobCRD),
	}
	for key, value := range job.Labels {
		labels[key] = value
	}
	return &v1.RayCluster{
		ObjectMeta: metav1.ObjectMeta{Name: job.Name + clusterSuffix, Namespace: job.Namespace, Labels: labels},
		Spec:       *job.Spec.RayClusterSpec.DeepCopy(),
	}
}

// As buildHeadPod and buildWorkerPod of raycluster_controller.go.
func build(ctx context.Context, job *v1.RayJob, cluster *v1.RayCluster) (*output, error) {
	if err := errors.Join(
		utils.ValidateRayClusterMetadata(cluster.ObjectMeta),
		utils.ValidateRayClusterSpec(&cluster.Spec, cluster.Annotations),
	); err != nil {
		return nil, err
	}
	spec := cluster.DeepCopy().Spec
	address := utils.GenerateFQDNServiceName(ctx, *cluster, cluster.Namespace)
	port := common.GetHeadPort(spec.HeadGroupSpec.RayStartParams)
	creator := utils.GetCRDType(cluster.Labels[utils.RayOriginatedFromCRDLabelKey])
	service, err := common.BuildServiceForHeadPod(ctx, *cluster, nil, nil)
	if err != nil {
		return nil, err
	}
	head := common.DefaultHeadPodTemplate(ctx, *cluster, spec.HeadGroupSpec, cluster.Name+"-head", port)
	made := &output{
		KubeRay:     utils.KUBERAY_VERSION,
		HeadService: service,
		Head: common.BuildPod(ctx, head, v1.HeadNode, spec.HeadGroupSpec.RayStartParams, port, false, creator, address, nil,
			spec.RayVersion),
	}
	for _, worker := range spec.WorkerGroupSpecs {
		template := common.DefaultWorkerPodTemplate(ctx, *cluster, worker, cluster.Name+"-"+worker.GroupName, address, port, "", 0, 0)
		pod := common.BuildPod(ctx, template, v1.WorkerNode, worker.RayStartParams, port, false, creator, address, nil, spec.RayVersion)
		made.Workers = append(made.Workers, group{Name: worker.GroupName, Replicas: *worker.Replicas, Pod: pod})
	}
	job.Status.JobId = jobID
	job.Status.DashboardURL = fmt.Sprintf("%s:%d", address, utils.DefaultDashboardPort)
	if job.Spec.SubmissionMode == v1.HTTPMode {
		made.Request, err = dashboardclient.ConvertRayJobToReq(job)
	} else {
		made.Submitter, err = submitter(job, cluster)
	}
	return made, err
}

// As getSubmitterTemplate and configureSubmitterContainer of rayjob_controller.go.
func submitter(job *v1.RayJob, cluster *v1.RayCluster) (*corev1.PodTemplateSpec, error) {
	command, err := common.BuildJobSubmitCommand(job, v1.K8sJobMode)
	if err != nil {
		return nil, err
	}
	template := common.GetSubmitterTemplate(&job.Spec, &cluster.Spec)
	container := &template.Spec.Containers[utils.RayContainerIndex]
	if len(container.Command) == 0 {
		container.Command = utils.GetContainerCommand([]string{"e"})
		container.Args = []string{strings.Join(command, " ")}
	}
	container.Env = append(container.Env,
		corev1.EnvVar{Name: "PYTHONUNBUFFERED", Value: "1"},
		corev1.EnvVar{Name: utils.RAY_DASHBOARD_ADDRESS, Value: job.Status.DashboardURL},
		corev1.EnvVar{Name: utils.RAY_JOB_SUBMISSION_ID, Value: job.Status.JobId})
	if utils.IsAuthEnabled(&cluster.Spec) {
		common.SetContainerTokenAuthEnvVars(cluster.Name, container, cluster.Spec.AuthOptions)
	}
	return &template, nil
}
