package policies

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// These tests show that nothing slips by: every kind that carries Pods, every operation and subresource that can change them, and every
// sort of container and image in them. That the three lists are whole is read from the types of Kubernetes, further down.

// podPaths is where each kind of PodKinds keeps its Pod spec, written down a second time, independently of podOf.
func podPaths() map[string]string {
	return map[string]string{
		"Pod": "spec", "ReplicationController": "spec.template.spec", "DaemonSet": "spec.template.spec", "Deployment": "spec.template.spec",
		"ReplicaSet": "spec.template.spec", "StatefulSet": "spec.template.spec", "Job": "spec.template.spec", "CronJob": "spec.jobTemplate.spec.template.spec",
	}
}

// seat is a place in a Pod spec that an image may sit in: the element of a list, and where in that element.
type seat struct{ list, image string }

// seats of every sort. A native sidecar is an init container with a restartPolicy, and sits among those.
func seats() map[string]seat {
	return map[string]seat{
		"container":           {"containers", "image"},
		"init container":      {"initContainers", "image"},
		"native sidecar":      {"initContainers", "image"},
		"ephemeral container": {"ephemeralContainers", "image"},
		"image volume":        {"volumes", "image.reference"},
	}
}

const (
	goodImage = "registry.example/shop:0123abc"
	badImage  = "registry.example/shop:latest"
)

// element of a list of the Pod spec, with an image.
func (s seat) element(sort, name, image string) map[string]any {
	element := map[string]any{"name": name, "image": image}
	switch sort {
	case "native sidecar":
		element["restartPolicy"] = "Always"
	case "image volume":
		element["image"] = map[string]any{"reference": image}
	}
	return element
}

// podWith has a good element of every sort, and at the end of the list of one sort another one.
func podWith(sort string, last map[string]any) map[string]any {
	spec := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(seats())) {
		s := seats()[name]
		list, _ := spec[s.list].([]any)
		spec[s.list] = append(list, s.element(name, strings.ReplaceAll(name, " ", "-"), goodImage))
	}
	if last != nil {
		list, _ := spec[seats()[sort].list].([]any)
		spec[seats()[sort].list] = append(list, last)
	}
	return spec
}

// lastPath is the path of the element that podWith added.
func lastPath(kind, sort string) string {
	list := seats()[sort].list
	count := map[string]int{"initContainers": 2}[list]
	return fmt.Sprintf("%s.%s[%d]", podPaths()[kind], list, max(count, 1))
}

// around puts a Pod spec where the kind keeps it.
func around(kind string, spec map[string]any) map[string]any {
	object := spec
	path := strings.Split(podPaths()[kind], ".")
	for _, name := range slices.Backward(path) {
		object = map[string]any{name: object}
	}
	object["metadata"] = map[string]any{"name": "shop", "namespace": "team-a"}
	return object
}

// requests calls visit for every way in which a kind of PodKinds reaches the webhook. before is what an UPDATE finds.
func requests(t *testing.T, spec func() map[string]any, before func() map[string]any, visit func(name, kind string, r Review)) {
	t.Helper()
	for _, kind := range PodKinds() {
		operations := []string{"CREATE", "UPDATE"}
		if kind.Subresource != "" {
			operations = []string{"UPDATE"}
		}
		for _, operation := range operations {
			request := map[string]any{
				"uid": "00000000-0000-0000-0000-000000000001", "operation": operation, "namespace": "team-a", "subResource": kind.Subresource,
				"kind":   map[string]any{"group": kind.Group, "version": "v1", "kind": kind.Kind},
				"object": around(kind.Kind, spec()),
			}
			if operation == "UPDATE" {
				request["oldObject"] = around(kind.Kind, before())
			}
			text, err := json.Marshal(request)
			if err != nil {
				t.Fatal(err)
			}
			visit(fmt.Sprintf("%s %s/%s", operation, kind.Kind, kind.Subresource), kind.Kind, Review{
				Group: kind.Group, Version: "v1", Kind: kind.Kind, Subresource: kind.Subresource, Operation: operation, Request: text,
				Namespaced: true, Namespace: &Namespace{Name: "team-a"},
			})
		}
	}
}

// single is the library with one policy switched on.
func single(t *testing.T, id, parameters string) *Set {
	t.Helper()
	settings := map[string]Setting{}
	for _, other := range libraryIDs(t) {
		settings[other] = Setting{Action: Off}
	}
	settings[id] = Setting{Action: Deny, Parameters: json.RawMessage(parameters)}
	return load(t, settings, Library())
}

func checkFields(t *testing.T, set *Set, what string, r Review, want ...string) {
	t.Helper()
	decision := set.Evaluate(t.Context(), r)
	if len(decision.Undecided) > 0 {
		t.Errorf("%s: %v", what, decision.Undecided)
	}
	var got []string
	for _, violation := range decision.Violations {
		got = append(got, violation.Field)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", what, diff)
	}
}

// TestCoverageOfImages: an image that moves is refused in every seat of every kind, whichever way it comes, and nothing else is. What an
// UPDATE finds is the same object with a good image there, which is what kubectl set image changes, or without the element, which is
// what kubectl debug adds.
func TestCoverageOfImages(t *testing.T) {
	set := single(t, "image-tag", "")
	cases := 0
	for sort, s := range seats() {
		bad := func() map[string]any { return podWith(sort, s.element(sort, "last", badImage)) }
		for how, before := range map[string]func() map[string]any{
			"set image":  func() map[string]any { return podWith(sort, s.element(sort, "last", goodImage)) },
			"added":      func() map[string]any { return podWith(sort, nil) },
			"bad before": bad, // the ratchet is not here: what is wrong stays wrong
		} {
			requests(t, bad, before, func(name, kind string, r Review) {
				cases++
				checkFields(t, set, name+", "+sort+", "+how, r, lastPath(kind, sort)+"."+s.image)
			})
			requests(t, func() map[string]any { return podWith(sort, nil) }, bad, func(name, _ string, r Review) {
				cases++
				checkFields(t, set, name+", taken away: "+sort, r)
			})
		}
	}
	if want := len(seats()) * 3 * 2 * (2*len(PodKinds()) - 1); cases != want {
		t.Errorf("%d cases, want %d", cases, want)
	}
}

// TestCoverageOfPodSecurity: the same for what a container may not do, and for what the Pod as a whole may not.
func TestCoverageOfPodSecurity(t *testing.T) {
	baseline, restricted := single(t, "pod-security", `{"level":"baseline"}`), single(t, "pod-security", `{"level":"restricted"}`)
	good := func() map[string]any { return podWith("", nil) }
	for sort, s := range seats() {
		bad := func() map[string]any {
			last := s.element(sort, "last", goodImage)
			last["securityContext"] = map[string]any{"privileged": true}
			if sort == "image volume" { // a volume has no securityContext; what a volume may not be is of the node
				last = map[string]any{"name": "last", "hostPath": map[string]any{"path": "/"}}
			}
			return podWith(sort, last)
		}
		field := ".securityContext.privileged"
		if sort == "image volume" {
			field = ".hostPath"
		}
		requests(t, bad, good, func(name, kind string, r Review) {
			checkFields(t, baseline, name+", "+sort, r, lastPath(kind, sort)+field)
		})
	}
	requests(t, func() map[string]any {
		spec := good()
		spec["hostNetwork"] = true
		return spec
	}, good, func(name, kind string, r Review) {
		checkFields(t, baseline, name+", the Pod", r, podPaths()[kind]+".hostNetwork")
	})
	requests(t, good, good, func(name, kind string, r Review) {
		checkFields(t, baseline, name+", nothing wrong", r)
		// Each of the four containers lacks the same four things; an image volume lacks nothing.
		var want []string
		for _, element := range []string{"containers[0]", "ephemeralContainers[0]", "initContainers[0]", "initContainers[1]"} {
			for _, lacks := range []string{"allowPrivilegeEscalation", "capabilities.drop", "runAsNonRoot", "seccompProfile.type"} {
				want = append(want, podPaths()[kind]+"."+element+".securityContext."+lacks)
			}
		}
		checkFields(t, restricted, name+", nothing hardened", r, want...)
	})
}

// TestCoverageIsWhole reads from the types of Kubernetes which kinds carry Pods and where in a Pod images are, so that a new kind or a
// new seat fails here and not in a cluster. PodTemplate is the one kind left out of PodKinds: nothing in Kubernetes makes a Pod of one,
// and what somebody makes of it is judged as a Pod. Of the subresources of Pods, resize changes nothing but resources and status
// nothing of the spec; scale carries no Pods.
func TestCoverageIsWhole(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	podSpec := reflect.TypeFor[corev1.PodSpec]()
	var carry []string
	for gvk, kind := range scheme.AllKnownTypes() {
		_, isList := kind.FieldByName("ListMeta")
		if !isList && len(find(kind, func(f reflect.StructField) bool { return deref(f.Type) == podSpec })) > 0 {
			carry = append(carry, gvk.Group+"/"+gvk.Kind)
		}
	}
	want := []string{"/PodTemplate"}
	for _, kind := range PodKinds() {
		if kind.Subresource == "" {
			want = append(want, kind.Group+"/"+kind.Kind)
		}
	}
	slices.Sort(want)
	slices.Sort(carry)
	if diff := cmp.Diff(want, carry); diff != "" {
		t.Errorf("kinds that carry Pods: -want +got:\n%s", diff)
	}

	images := find(podSpec, func(f reflect.StructField) bool {
		name := strings.ToLower(f.Name)
		return f.Type.Kind() == reflect.String && (strings.Contains(name, "image") || name == "reference") && !strings.Contains(name, "policy")
	})
	var places []string
	for _, s := range seats() {
		places = append(places, s.list+"[]."+s.image)
	}
	// Cinder, RBD and the like name disk images of their own; those are no container images.
	others := []string{"volumes[].rbd.image"}
	slices.Sort(places)
	places = append(slices.Compact(places), others...)
	slices.Sort(images)
	slices.Sort(places)
	if diff := cmp.Diff(places, images); diff != "" {
		t.Errorf("where images are in a Pod: -want +got:\n%s", diff)
	}
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// find gives the JSON paths of all fields below a type that satisfy the condition. Types that hold themselves are entered once.
func find(t reflect.Type, wanted func(reflect.StructField) bool, above ...reflect.Type) (paths []string) {
	t = deref(t)
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		for _, path := range find(t.Elem(), wanted, above...) {
			paths = append(paths, "[]."+path)
		}
	case reflect.Struct:
		if slices.Contains(above, t) {
			return nil
		}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if wanted(field) {
				paths = append(paths, name)
			}
			for _, path := range find(field.Type, wanted, append(slices.Clone(above), t)...) {
				paths = append(paths, strings.TrimPrefix(strings.ReplaceAll(name+"."+path, ".[]", "[]"), "."))
			}
		}
	default: // no other type has fields
	}
	return paths
}
