package compare

import (
	"bytes"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/gesso-dev/gesso/bench/fixtures"
)

// Namespace is where the Pods lie.
const Namespace = fixtures.Namespace

// Good returns the review of a Pod with which no policy finds fault.
func Good() ([]byte, error) { return fixtures.Review(fixtures.Pod) }

// Bad returns the review of a Pod that offends one policy, and no other.
func Bad(policy string) ([]byte, error) {
	spoil, exists := faults()[policy]
	if !exists {
		return nil, fmt.Errorf("no Pod offends %q", policy)
	}
	good, err := Good()
	if err != nil {
		return nil, err
	}
	review, pod, err := Decode(good)
	if err != nil {
		return nil, err
	}
	spoil(pod)
	if review.Request.Object.Raw, err = json.Marshal(pod); err != nil {
		return nil, err
	}
	bad, err := json.Marshal(review)
	if err == nil && bytes.Equal(bad, good) {
		err = fmt.Errorf("nothing is wrong with the Pod that should offend %s", policy)
	}
	return bad, err
}

func faults() map[string]func(*corev1.Pod) {
	return map[string]func(*corev1.Pod){
		"capabilities": func(p *corev1.Pod) {
			p.Spec.Containers[1].SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_ADMIN"}
		},
		"host-namespaces": func(p *corev1.Pod) { p.Spec.HostPID = true },
		"host-path": func(p *corev1.Pod) {
			p.Spec.Volumes[2].VolumeSource = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/run"}}
		},
		"latest-tag":      func(p *corev1.Pod) { p.Spec.Containers[1].Image = "registry.example/platform/exporter:latest" },
		"limits":          func(p *corev1.Pod) { delete(p.Spec.Containers[1].Resources.Limits, corev1.ResourceMemory) },
		"privileged":      func(p *corev1.Pod) { p.Spec.Containers[1].SecurityContext.Privileged = new(true) },
		"registries":      func(p *corev1.Pod) { p.Spec.Containers[1].Image = "elsewhere.example/platform/exporter:0.9.3" },
		"required-labels": func(p *corev1.Pod) { delete(p.Labels, "team") },
		"secret-scope":    func(p *corev1.Pod) { p.Spec.Containers[0].EnvFrom[0].SecretRef.Name = "billing-keys" },
	}
}

// Decode takes a review apart: what most figures leave out.
func Decode(body []byte) (*admissionv1.AdmissionReview, *corev1.Pod, error) {
	review, pod := &admissionv1.AdmissionReview{}, &corev1.Pod{}
	if err := json.Unmarshal(body, review); err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(review.Request.Object.Raw, pod); err != nil {
		return nil, nil, err
	}
	return review, pod, nil
}
