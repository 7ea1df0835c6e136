package psatest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/gesso-dev/gesso/policies"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// oracle judges Pods twice: by Kubernetes and by the policy, at one level.
type oracle struct {
	level api.Level
	want  policy.Evaluator
	got   *policies.Set
}

func oracles(t *testing.T) []oracle {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, problems := policies.Load(t.Context(), []policies.Source{policies.Library()}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var list []oracle
	for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
		settings := map[string]policies.Setting{}
		for _, p := range all.Policies() {
			settings[p.ID] = policies.Setting{Action: policies.Off}
		}
		settings["pod-security"] = policies.Setting{Action: policies.Deny, Parameters: json.RawMessage(fmt.Sprintf(`{"level":%q}`, level))}
		set, problems := policies.Load(t.Context(), []policies.Source{policies.Library()}, settings)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		list = append(list, oracle{level, evaluator, set.WithDeadline(time.Minute)})
	}
	return list
}

// compare reports where the two verdicts differ, with the Pod around which kind. It returns the verdict of Kubernetes.
func (o oracle) compare(t *testing.T, pod *corev1.Pod, kind string) (allowed bool) {
	t.Helper()
	version := api.LevelVersion{Level: o.level, Version: api.LatestVersion()}
	want := policy.AggregateCheckResults(o.want.EvaluatePod(version, &pod.ObjectMeta, defaulted(&pod.Spec)))
	decision := o.got.Evaluate(t.Context(), review(t, pod, kind))
	for _, undecided := range decision.Undecided {
		t.Fatalf("%s at %s could not be decided: %s", kind, o.level, undecided.Reason)
	}
	if got := len(decision.Violations) == 0; got != want.Allowed {
		t.Errorf("%s at %s: allowed by Kubernetes %t (%s), by the policy %t:\n%s\n%s",
			kind, o.level, want.Allowed, want.ForbiddenDetail(), got, texts(decision), encode(t, pod))
	}
	return want.Allowed
}

// defaulted is the spec as Kubernetes sees it: the API server makes an emptyDir of a volume of no type before anybody judges it.
func defaulted(spec *corev1.PodSpec) *corev1.PodSpec {
	spec = spec.DeepCopy()
	for i := range spec.Volumes {
		if source := &spec.Volumes[i].VolumeSource; *source == (corev1.VolumeSource{}) {
			source.EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	return spec
}

func texts(decision policies.Decision) (lines string) {
	for _, violation := range decision.Violations {
		lines += "\t" + violation.Field + ": " + violation.Text() + "\n"
	}
	return lines
}

func encode(t *testing.T, object any) []byte {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// review is the request that creates the Pod, or the workload of the given kind with the Pod as its template.
func review(t *testing.T, pod *corev1.Pod, kind string) policies.Review {
	t.Helper()
	object, group := around(t, pod, kind)
	request := encode(t, map[string]any{
		"uid": "00000000-0000-0000-0000-000000000001", "operation": "CREATE", "namespace": "team-a",
		"kind": map[string]string{"group": group, "version": "v1", "kind": kind}, "object": object,
	})
	return policies.Review{
		Group: group, Version: "v1", Kind: kind, Operation: "CREATE", Request: request, Namespaced: true,
		Namespace: &policies.Namespace{Name: "team-a"},
	}
}

// kinds that Kubernetes itself looks into for Pods.
func kinds() []string {
	return []string{"Pod", "PodTemplate", "ReplicationController", "ReplicaSet", "Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob"}
}

func around(t *testing.T, pod *corev1.Pod, kind string) (object any, group string) {
	t.Helper()
	template := corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}
	job := batchv1.JobSpec{Template: template}
	// The workload's own annotations are not those of its Pods.
	meta := metav1.ObjectMeta{Name: "x", Annotations: map[string]string{corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix + "x": "unconfined"}}
	switch kind {
	case "Pod":
		return pod, ""
	case "PodTemplate":
		return corev1.PodTemplate{ObjectMeta: meta, Template: template}, ""
	case "ReplicationController":
		return corev1.ReplicationController{ObjectMeta: meta, Spec: corev1.ReplicationControllerSpec{Template: &template}}, ""
	case "ReplicaSet":
		return appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Template: template}}, "apps"
	case "Deployment":
		return appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Template: template}}, "apps"
	case "DaemonSet":
		return appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Template: template}}, "apps"
	case "StatefulSet":
		return appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Template: template}}, "apps"
	case "Job":
		return batchv1.Job{ObjectMeta: meta, Spec: job}, "batch"
	case "CronJob":
		return batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: job}}}, "batch"
	}
	t.Fatalf("kind %s", kind)
	return nil, ""
}

// tally counts the verdicts, so that a test which only ever sees one of them fails.
type tally struct{ allowed, refused int }

func (c *tally) add(allowed bool) {
	if allowed {
		c.allowed++
	} else {
		c.refused++
	}
}

// report fails unless both verdicts were seen at least that often.
func (c *tally) report(t *testing.T, least int) {
	t.Helper()
	t.Logf("allowed %d times, refused %d times", c.allowed, c.refused)
	if min(c.allowed, c.refused) < least {
		t.Errorf("%d of each are the least for the comparison to mean anything", least)
	}
}
