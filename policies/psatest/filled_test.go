package psatest

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// What the defaults fill, judged by Kubernetes.

// filler fills workloads by one Profile in one namespace.
type filler struct {
	set       *defaults.Set
	namespace *convention.Namespace
}

// fill returns the pod template after filling, as Kubernetes' own types read it.
func (f filler) fill(t *testing.T, pod *corev1.Pod, kind string) *corev1.Pod {
	t.Helper()
	workload, group := around(t, pod, kind)
	var members map[string]any
	if err := json.Unmarshal(encode(t, workload), &members); err != nil {
		t.Fatal(err)
	}
	members["apiVersion"], members["kind"] = "v1", kind
	if group != "" {
		members["apiVersion"] = group + "/v1"
	}
	o, err := object.New(encode(t, members))
	if err != nil {
		t.Fatal(err)
	}
	f.set.Fill(defaults.Request{Operation: "CREATE", Object: o, Namespace: f.namespace, NamespaceName: f.namespace.Name})
	after := &corev1.Pod{}
	if err := json.Unmarshal(o.Root.Get(o.Template().Path...).Bytes(), after); err != nil {
		t.Fatalf("%v\n%s", err, o.Root.Bytes())
	}
	return after
}

// filled are the kinds that defaults act on.
func filled() []string {
	return []string{"Pod", "ReplicationController", "ReplicaSet", "Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob"}
}

func fillerOf(t *testing.T, profile *v1alpha1.Profile, labels map[string]string) filler {
	t.Helper()
	set, err := defaults.New(profile)
	if err != nil {
		t.Fatal(err)
	}
	return filler{set, &convention.Namespace{Name: "team-a", Labels: labels}}
}

func example(t *testing.T) *v1alpha1.Profile {
	t.Helper()
	text, err := os.ReadFile("../../examples/profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := v1alpha1.DecodeProfile(text)
	if err != nil {
		t.Fatal(err)
	}
	return profile
}

func evaluator(t *testing.T) policy.Evaluator {
	t.Helper()
	e, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func judge(e policy.Evaluator, level api.Level, pod *corev1.Pod) policy.AggregateCheckResult {
	return policy.AggregateCheckResults(e.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, defaulted(&pod.Spec)))
}

// minimal is a Pod that says nothing of security: what a developer writes who has never heard of it.
func minimal(containers, inits int) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name = "shop"
	for i := range containers {
		c := corev1.Container{Name: fmt.Sprintf("web%d", i), Image: "shop:0123abc"}
		if i == 0 {
			c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}
		}
		pod.Spec.Containers = append(pod.Spec.Containers, c)
	}
	always := corev1.ContainerRestartPolicyAlways
	for i := range inits {
		c := corev1.Container{Name: fmt.Sprintf("init%d", i), Image: "shop:0123abc"}
		if i == 1 {
			c.RestartPolicy = &always
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
	}
	return pod
}

// TestMinimalIsRestricted holds that a workload which says nothing of security passes the restricted standard in a namespace of that level,
// with the built-in Profile and with the example's, whose sidecar then stands in it, too; and that it would not have passed by itself.
func TestMinimalIsRestricted(t *testing.T) {
	e := evaluator(t)
	restricted := map[string]string{v1alpha1.LevelLabel: v1alpha1.LevelRestricted}
	bare := example(t)
	// A sidecar whose fragment says nothing of security is hardened like every container.
	bare.Spec.Defaults.Sidecar.Container = &runtime.RawExtension{Raw: []byte(`{"name":"gesso-proxy","image":"proxy:1","ports":[{"name":"proxy","containerPort":8443}]}`)}
	for name, f := range map[string]filler{
		"built-in": fillerOf(t, v1alpha1.Builtin(), restricted), "example": fillerOf(t, example(t), restricted), "bare sidecar": fillerOf(t, bare, restricted),
	} {
		for _, kind := range filled() {
			for _, shape := range [][2]int{{1, 0}, {2, 0}, {1, 3}} {
				pod := minimal(shape[0], shape[1])
				if judge(e, api.LevelRestricted, pod).Allowed {
					t.Fatal("the Pod passes unfilled: this test shows nothing")
				}
				after := f.fill(t, pod, kind)
				if result := judge(e, api.LevelRestricted, after); !result.Allowed {
					t.Errorf("%s, %s with %v containers: %s\n%s", name, kind, shape, result.ForbiddenDetail(), encode(t, after))
				}
				if sidecar := len(after.Spec.InitContainers) > shape[1]; sidecar != (name != "built-in") {
					t.Errorf("%s, %s: a sidecar is there: %t", name, kind, sidecar)
				}
			}
		}
	}
	// Elsewhere the built-in Profile breaks nobody: what restricted asks for beyond the rest is previewed only.
	after := fillerOf(t, v1alpha1.Builtin(), nil).fill(t, minimal(1, 0), "Deployment")
	if judge(e, api.LevelRestricted, after).Allowed || !judge(e, api.LevelBaseline, after).Allowed {
		t.Errorf("without the label: %s", encode(t, after))
	}
}

// checks returns what each check by itself says of a Pod.
func checks(pod *corev1.Pod) map[policy.CheckID]policy.CheckResult {
	all, spec := map[policy.CheckID]policy.CheckResult{}, defaulted(&pod.Spec)
	for _, check := range policy.DefaultChecks() {
		all[check.ID] = check.Versions[len(check.Versions)-1].CheckPod(&pod.ObjectMeta, spec)
	}
	return all
}

// TestNoLevelGetsWeaker holds that filling never takes a check from a Pod that passed it, whatever else is in the Pod.
func TestNoLevelGetsWeaker(t *testing.T) {
	t.Parallel()
	const pods = 4000
	fillers := map[string]filler{
		"built-in": fillerOf(t, v1alpha1.Builtin(), nil), "restricted": fillerOf(t, v1alpha1.Builtin(), map[string]string{v1alpha1.LevelLabel: v1alpha1.LevelRestricted}),
		"example": fillerOf(t, example(t), nil),
	}
	stronger := map[policy.CheckID]int{} // how many Pods pass a check only when they are filled
	for i := range pods {
		pod := randomPod(i)
		if i%3 == 0 { // the sidecar has a port to forward to
			pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports, corev1.ContainerPort{Name: "http", ContainerPort: 8080})
		}
		kind := filled()[i%len(filled())]
		before := checks(pod)
		for name, f := range fillers {
			after := f.fill(t, pod, kind)
			for id, now := range checks(after) {
				switch {
				case before[id].Allowed && !now.Allowed:
					t.Errorf("%s, %s, Pod %d: %s does not pass any more: %s\n%s\n%s", name, kind, i, id, now.ForbiddenDetail, encode(t, pod), encode(t, after))
				case !before[id].Allowed && now.Allowed:
					stronger[id]++
				}
			}
		}
	}
	for _, id := range []policy.CheckID{"allowPrivilegeEscalation", "capabilities_restricted", "runAsNonRoot", "seccompProfile_restricted"} {
		if stronger[id] < pods/100 {
			t.Errorf("filling makes %d of %d Pods pass %s: they have little to fill", stronger[id], pods, id)
		}
	}
}
