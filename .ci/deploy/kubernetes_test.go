// Package deploy has no code: its tests read the files that people deploy with.
package deploy

import (
	"slices"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	root    = "../.."
	base    = root + "/deploy/kubernetes/base"
	example = root + "/deploy/kubernetes/overlays/example"
)

// kinds are the types that manifests may have; another one is a mistake or a new line here.
func kinds() map[string]meta.Object {
	return map[string]meta.Object{
		"v1/Namespace":                            &core.Namespace{},
		"v1/ConfigMap":                            &core.ConfigMap{},
		"v1/Service":                              &core.Service{},
		"v1/ServiceAccount":                       &core.ServiceAccount{},
		"apps/v1/Deployment":                      &apps.Deployment{},
		"batch/v1/Job":                            &batch.Job{},
		"batch/v1/CronJob":                        &batch.CronJob{},
		"policy/v1/PodDisruptionBudget":           &policy.PodDisruptionBudget{},
		"autoscaling/v2/HorizontalPodAutoscaler":  &autoscaling.HorizontalPodAutoscaler{},
		"networking.k8s.io/v1/NetworkPolicy":      &networking.NetworkPolicy{},
		"networking.k8s.io/v1/Ingress":            &networking.Ingress{},
		"monitoring.coreos.com/v1/ServiceMonitor": &monitoring.ServiceMonitor{},
		"monitoring.coreos.com/v1/PrometheusRule": &monitoring.PrometheusRule{},
	}
}

// render is what kubectl apply -k would send, each object in its type. A field that the
// type does not have, or that stands there twice, fails.
func render(t *testing.T, folder string) []meta.Object {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatalf("kustomize build %s: %v", folder, err)
	}
	var objects []meta.Object
	for _, resource := range rendered.Resources() {
		content, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		kind := resource.GetApiVersion() + "/" + resource.GetKind()
		object, known := kinds()[kind]
		if !known {
			t.Fatalf("%s %s: the test knows no such type", kind, resource.GetName())
		}
		if err := yaml.UnmarshalStrict(content, object); err != nil {
			t.Errorf("%s %s: %v", kind, resource.GetName(), err)
		}
		objects = append(objects, object)
	}
	return objects
}

// all returns the objects of one type.
func all[T any](objects []meta.Object) []T {
	var found []T
	for _, object := range objects {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// one returns the object of a type of which there is one.
func one[T any](t *testing.T, objects []meta.Object) T {
	t.Helper()
	found := all[T](objects)
	if len(found) != 1 {
		t.Fatalf("%d objects of type %T, want 1", len(found), *new(T))
	}
	return found[0]
}

// workload is a pod template with the name of what makes pods from it.
type workload struct {
	name string
	pod  *core.PodTemplateSpec
}

func workloads(objects []meta.Object) []workload {
	var found []workload
	for _, d := range all[*apps.Deployment](objects) {
		found = append(found, workload{"Deployment " + d.Name, &d.Spec.Template})
	}
	for _, j := range all[*batch.Job](objects) {
		found = append(found, workload{"Job " + j.Name, &j.Spec.Template})
	}
	for _, c := range all[*batch.CronJob](objects) {
		found = append(found, workload{"CronJob " + c.Name, &c.Spec.JobTemplate.Spec.Template})
	}
	return found
}

func (w workload) containers() []core.Container {
	return append(slices.Clone(w.pod.Spec.InitContainers), w.pod.Spec.Containers...)
}

// The strictest profile of the Pod Security Standards, and a bit more.
func TestPodsAreConfined(t *testing.T) {
	t.Parallel()
	for _, w := range workloads(render(t, base)) {
		spec := w.pod.Spec
		if s := spec.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 ||
			s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: securityContext = %+v, want a numeric user that is not root, and the runtime's seccomp profile", w.name, s)
		}
		if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken || spec.ServiceAccountName == "" {
			t.Errorf("%s: want an account of its own without a token", w.name)
		}
		if spec.HostNetwork || spec.HostPID || spec.HostIPC || spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
			t.Errorf("%s: shares the node's namespaces or takes the cluster's services into its environment", w.name)
		}
		for _, c := range w.containers() {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
				s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 || s.Privileged != nil {
				t.Errorf("%s, %s: securityContext = %+v, want no escalation, no writing to /, no capabilities", w.name, c.Name, s)
			}
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s, %s: resources = %v, want requests of CPU and memory, and a limit of memory", w.name, c.Name, c.Resources)
			}
		}
	}
}

func TestDeploymentStartsAndStopsInOrder(t *testing.T) {
	t.Parallel()
	objects := render(t, base)
	deployment := one[*apps.Deployment](t, objects)
	pod := deployment.Spec.Template.Spec
	c := pod.Containers[0]
	for name, probe := range map[string]struct {
		probe *core.Probe
		path  string
	}{
		"startup": {c.StartupProbe, "/health/live"}, "liveness": {c.LivenessProbe, "/health/live"}, "readiness": {c.ReadinessProbe, "/health/ready"},
	} {
		if probe.probe == nil || probe.probe.HTTPGet == nil || probe.probe.HTTPGet.Path != probe.path || probe.probe.HTTPGet.Port.StrVal != c.Ports[0].Name {
			t.Errorf("%s probe = %+v, want GET %s of port %s", name, probe.probe, probe.path, c.Ports[0].Name)
		}
	}
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
		t.Fatalf("lifecycle = %+v, want a preStop that sleeps: there is no shell", c.Lifecycle)
	}
	settings := one[*core.ConfigMap](t, objects).Data
	timeout, err := time.ParseDuration(settings["SHUTDOWN_TIMEOUT"])
	if err != nil {
		t.Fatal(err)
	}
	needed := c.Lifecycle.PreStop.Sleep.Seconds + int64(timeout.Seconds())
	grace := pod.TerminationGracePeriodSeconds
	if grace == nil {
		t.Fatal("no terminationGracePeriodSeconds")
	}
	if *grace <= needed {
		t.Errorf("terminationGracePeriodSeconds = %d, want more than preStop and SHUTDOWN_TIMEOUT together: %d", *grace, needed)
	}
	if deployment.Spec.Replicas != nil {
		t.Error("the Deployment names replicas, which belong to the autoscaler")
	}
}

// What one object says of another has to be true of it.
func TestReferences(t *testing.T) {
	t.Parallel()
	objects := render(t, example)
	deployment := one[*apps.Deployment](t, objects)
	pods := labels.Set(deployment.Spec.Template.Labels)
	ports := deployment.Spec.Template.Spec.Containers[0].Ports

	service := one[*core.Service](t, objects)
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(pods) || service.Spec.Ports[0].TargetPort.StrVal != ports[0].Name {
		t.Errorf("the Service selects %v, port %v; want the pods %v, port %s", service.Spec.Selector, service.Spec.Ports, pods, ports[0].Name)
	}
	monitor := one[*monitoring.ServiceMonitor](t, objects)
	matches(t, "the ServiceMonitor", &monitor.Spec.Selector, service.Labels)
	if monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor asks port %s, want %s", monitor.Spec.Endpoints[0].Port, service.Spec.Ports[0].Name)
	}
	if got := service.Labels[monitor.Spec.JobLabel]; got != "driftsentry" {
		t.Errorf("scraped as job=%q, want driftsentry, which rules and dashboards ask for", got)
	}
	matches(t, "the PodDisruptionBudget", one[*policy.PodDisruptionBudget](t, objects).Spec.Selector, pods)
	matches(t, "the Deployment", deployment.Spec.Selector, pods)
	for _, constraint := range deployment.Spec.Template.Spec.TopologySpreadConstraints {
		matches(t, "the spreading over "+constraint.TopologyKey, constraint.LabelSelector, pods)
	}
	if target := one[*autoscaling.HorizontalPodAutoscaler](t, objects).Spec.ScaleTargetRef; target.Kind != "Deployment" || target.Name != deployment.Name {
		t.Errorf("the autoscaler scales %v, want Deployment %s", target, deployment.Name)
	}
	for _, rule := range one[*networking.Ingress](t, objects).Spec.Rules {
		for _, path := range rule.HTTP.Paths {
			if b := path.Backend.Service; b.Name != service.Name || b.Port.Name != service.Spec.Ports[0].Name {
				t.Errorf("the Ingress sends %s to %v, want Service %s", path.Path, b, service.Name)
			}
		}
	}
	accounts := make(map[string]bool)
	for _, account := range all[*core.ServiceAccount](objects) {
		accounts[account.Name] = true
	}
	settings := one[*core.ConfigMap](t, objects).Name
	for _, w := range workloads(objects) {
		if !accounts[w.pod.Spec.ServiceAccountName] {
			t.Errorf("%s: there is no ServiceAccount %s", w.name, w.pod.Spec.ServiceAccountName)
		}
		policies := 0
		for _, p := range all[*networking.NetworkPolicy](objects) {
			if selects(t, &p.Spec.PodSelector, w.pod.Labels) && len(p.Spec.PolicyTypes) == 2 {
				policies++
			}
		}
		if policies != 1 {
			t.Errorf("%s: %d NetworkPolicies close both directions for its pods, want 1", w.name, policies)
		}
		for _, c := range w.containers() {
			if _, tag, _ := strings.Cut(c.Image, ":"); tag == "" || tag == "latest" {
				t.Errorf("%s, %s: image %q, want a fixed tag", w.name, c.Name, c.Image)
			}
			for _, from := range c.EnvFrom {
				if from.ConfigMapRef == nil || from.ConfigMapRef.Name != settings {
					t.Errorf("%s, %s: takes its environment from %v, want ConfigMap %s", w.name, c.Name, from, settings)
				}
			}
		}
	}
}

func matches(t *testing.T, who string, selector *meta.LabelSelector, set map[string]string) {
	t.Helper()
	if !selects(t, selector, set) {
		t.Errorf("%s selects %s, which is not %v", who, meta.FormatLabelSelector(selector), set)
	}
}

func selects(t *testing.T, selector *meta.LabelSelector, set map[string]string) bool {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return !s.Empty() && s.Matches(labels.Set(set))
}
