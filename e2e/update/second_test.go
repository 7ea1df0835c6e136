package update

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	admissionv1 "k8s.io/api/admission/v1"
)

// second is another mutating webhook of the cluster, registered before and after Gesso: the API server calls configurations in the
// order of their names. A Namespace asks for one of its habits by a label.
type second struct {
	*listener

	count atomic.Int64
}

// habits are what a second webhook does to a pod template, at every call.
func habits() []string {
	return []string{"env", "container", "annotation", "mirror", "mode", "counter"}
}

// The labels by which a Namespace asks for a habit, and the configurations that see them.
const (
	secondBefore = "second-before"
	secondAfter  = "second-after"
)

func startSecond() (*second, error) {
	s := &second{}
	var err error
	s.listener, err = listen(s)
	return s, err
}

// register makes one entry for each place, habit and reinvocationPolicy.
func (s *second) register(ctx context.Context) error {
	var b strings.Builder
	for label, name := range map[string]string{secondBefore: "a-second", secondAfter: "z-second"} {
		fmt.Fprintf(&b, "---\napiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: %s}\nwebhooks:\n", name)
		for _, habit := range habits() {
			for value, policy := range map[string]string{habit: "IfNeeded", habit + "-once": "Never"} {
				fmt.Fprintf(&b, `- name: %s.second.example
  admissionReviewVersions: [v1]
  clientConfig: {url: "%s/%s", caBundle: %s}
  failurePolicy: Fail
  sideEffects: None
  timeoutSeconds: 30
  reinvocationPolicy: %s
  namespaceSelector: {matchLabels: {%s: %s}}
  rules:
  - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments, statefulsets, daemonsets]}
  - {apiGroups: [batch], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [cronjobs]}
`, value, s.url, habit, base64.StdEncoding.EncodeToString(s.bundle), policy, label, value)
			}
		}
	}
	if _, stderr, err := shared.cp.KubectlInput(ctx, strings.NewReader(b.String()), "apply", "-f", "-"); err != nil {
		return fmt.Errorf("register the second webhook: %w\n%s", err, stderr)
	}
	return nil
}

func (s *second) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var review admissionv1.AdmissionReview
	d := json.NewDecoder(req.Body)
	if err := d.Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	k := kindNamed(review.Request.Kind.Kind)
	d = json.NewDecoder(bytes.NewReader(review.Request.Object.Raw))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	template := find(o, k.template...)
	before := canonical(template)
	s.apply(strings.TrimPrefix(req.URL.Path, "/"), template)
	response := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	if canonical(template) != before {
		patchType := admissionv1.PatchTypeJSONPatch
		response.PatchType = &patchType
		response.Patch = []byte(canonical([]any{map[string]any{"op": "replace", "path": "/" + strings.Join(k.template, "/"), "value": template}}))
	}
	review.Request, review.Response = nil, response
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

// apply does what the habit is to a template, in place.
func (s *second) apply(habit string, template any) {
	each := func(do func(map[string]any)) {
		for _, list := range []string{"containers", "initContainers"} {
			all, _ := find(template, "spec", list).([]any)
			for _, c := range all {
				do(c.(map[string]any))
			}
		}
	}
	switch habit {
	case "env":
		each(func(c map[string]any) {
			with(c, with(find(c, "env"), nil, "SECOND"), "env")
			list, _ := c["env"].([]any)
			c["env"] = append(list, map[string]any{"name": "SECOND", "value": "1"})
		})
	case "container":
		if find(template, "spec", "containers", "second") == nil {
			list, _ := find(template, "spec", "containers").([]any)
			with(template, append(list, map[string]any{"name": "second", "image": "second:1"}), "spec", "containers")
		}
	case "annotation":
		with(template, "yes", "metadata", "annotations", "second.example/seen")
	case "mirror":
		each(func(c map[string]any) {
			if image, _ := c["image"].(string); !strings.HasPrefix(image, mirror) {
				c["image"] = mirror + image
			}
		})
	case "mode":
		// What a later Kubernetes may do as well: complete an element that Gesso made.
		all, _ := find(template, "spec", "volumes").([]any)
		for _, v := range all {
			if find(v, "configMap") != nil {
				with(v, 256, "configMap", "defaultMode")
			}
		}
	case "counter":
		with(template, fmt.Sprint(s.count.Add(1)), "metadata", "annotations", "second.example/count")
	}
}

// mirror begins the images that the habit of that name has rewritten.
const mirror = "mirror.example/"
