package main

import (
	"slices"
	"strings"
	"testing"
)

// gauge returns what a gauge with the labels action and policy says.
func (s *served) gauge(t *testing.T, name string) map[string]float64 {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			all[strings.Join(values, "/")] = m.GetGauge().GetValue()
		}
	}
	return all
}

// TestServeTellsWhatItsOwnPoliciesRefuse holds that a sidecar which would be refused in every deploy is told of when it is loaded, at
// the start and later, and no longer once it is another one.
func TestServeTellsWhatItsOwnPoliciesRefuse(t *testing.T) {
	sidecar := func(image string) string {
		return strings.Replace(minimalProfile, "spec: {}", `spec: {defaults: {sidecar: {container: {name: gesso-proxy, image: "`+image+`", ports: [{name: proxy, containerPort: 8443}]}}}}`, 1)
	}
	files := good()
	files["profile.yaml"] = sidecar("registry.example/proxy:latest")
	s := serving(t, files)
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.judging.Wait()
	told := func() (log string, notes []string, refused float64) {
		t.Helper()
		notes = s.ownNotes(s.current.pointer.Load())
		return s.said(), notes, s.gauge(t, "gesso_own_violations")["deny/image-tag"]
	}
	log, notes, refused := told()
	for _, part := range []string{`"policy"="image-tag" "action"="deny" "default"="sidecar"`, `"field"="spec.template.spec.initContainers[0].image"`, "warning"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log does not hold %s:\n%s", part, log)
		}
	}
	if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "[image-tag]") }) {
		t.Errorf("the status says %q", notes)
	}
	if refused != 1 {
		t.Errorf("the gauge says %v", s.gauge(t, "gesso_own_violations"))
	}

	s.write(t, map[string]string{"profile.yaml": sidecar("registry.example/proxy:1.2.3")})
	s.reload(t.Context())
	s.judging.Wait()
	log, notes, refused = told()
	if strings.Contains(log, "image-tag") || slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "[image-tag]") }) || refused != 0 {
		t.Errorf("after the reload: log %s, notes %q, gauge %v", log, notes, refused)
	}

	s.write(t, map[string]string{"profile.yaml": sidecar("registry.example/proxy:latest")})
	s.reload(t.Context())
	s.judging.Wait()
	if log, _, refused = told(); !strings.Contains(log, "image-tag") || refused != 1 {
		t.Errorf("after the second reload: log %s, gauge %v", log, refused)
	}
}
