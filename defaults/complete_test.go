package defaults

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestPullPolicy(t *testing.T) {
	const digest = "@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
	for image, want := range map[string]corev1.PullPolicy{
		"proxy":                                corev1.PullAlways,
		"proxy:latest":                         corev1.PullAlways,
		"proxy:latest" + digest:                corev1.PullAlways,
		"registry.example:5000/team/proxy":     corev1.PullAlways,
		"registry.example:5000/{app}":          corev1.PullAlways,
		"proxy:1":                              corev1.PullIfNotPresent,
		"proxy:latest-1":                       corev1.PullIfNotPresent,
		"proxy:{environment}":                  corev1.PullIfNotPresent,
		"proxy" + digest:                       corev1.PullIfNotPresent,
		"registry.example:5000/proxy:1":        corev1.PullIfNotPresent,
		"registry.example:5000/proxy" + digest: corev1.PullIfNotPresent,
	} {
		if got := pullPolicy(image); got != want {
			t.Errorf("pullPolicy(%q) = %s, want %s", image, got, want)
		}
	}
}
