package webhook

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/admission"
)

// series returns what a registry tells of a metric: label values joined by / and the value of the counter or gauge.
func series(t *testing.T, r prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
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
			for _, l := range m.GetLabel() { // sorted by name
				values = append(values, l.GetValue())
			}
			all[strings.Join(values, "/")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func metrics(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	m, err := NewMetrics(r, Build{})
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

func TestDecisionsAreCounted(t *testing.T) {
	m, r := metrics(t)
	result := &admission.Result{
		Violations: []admission.Violation{
			{Policy: "a", Action: "deny", Message: "one"},
			{Policy: "a", Action: "deny", Message: "two"},
			{Policy: "a", Action: "warn"},
			{Policy: "b", Action: "warn", Ratcheted: true},
			{Policy: "c", Action: "audit", Exception: "secret-name"},
			{Policy: "d", Action: "warn", Softened: "break-glass"},
		},
		Undecided: []admission.Undecided{{Policy: "e", Action: "deny", Reason: "why", Enforced: true}},
		Defaults:  []admission.Filled{{ID: "resources", Paths: []string{"/spec/a", "/spec/b"}}},
		Preview:   []admission.Filled{{ID: "seccomp"}},
		Skipped: []admission.Skipped{
			{ID: "seccomp", Reason: "preview"}, {ID: "resources", Reason: "already-set", Field: "a"}, {ID: "resources", Reason: "already-set", Field: "b"},
		},
	}
	m.of("closed").evaluated(time.Millisecond, result)
	m.of("open").evaluated(time.Millisecond, &admission.Result{})
	for name, want := range map[string]map[string]float64{
		"gesso_policy_decisions_total": { // action/outcome/policy
			"deny/violation/a": 1, "warn/violation/a": 1, "warn/ratcheted/b": 1, "audit/excepted/c": 1, "warn/break-glass/d": 1, "deny/undecided/e": 1,
		},
		"gesso_defaults_total":     {"resources/filled/": 1, "seccomp/preview/": 1, "resources/skipped/already-set": 1}, // default/outcome/reason
		"gesso_evaluation_seconds": {"closed": 1, "open": 1},
	} {
		if diff := cmp.Diff(want, series(t, r, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// names returns what docs/names.md lists under a heading.
func names(t *testing.T, heading string) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/names.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var all []string
	for line := range strings.Lines(section) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "`"); ok && strings.HasPrefix(line, "| `") {
			all = append(all, name)
		}
	}
	if len(all) < 5 {
		t.Fatalf("%q under %s of docs/names.md", all, heading)
	}
	return all
}

// TestEveryReasonIsCounted holds that each default has one series for each reason, however many fields it was skipped at, one for what
// was filled, one for what would have been, and no other.
func TestEveryReasonIsCounted(t *testing.T) {
	m, r := metrics(t)
	want := map[string]float64{}
	for _, id := range append(names(t, "Default ids"), "*") {
		m.of("defaults").evaluated(0, &admission.Result{
			Defaults: []admission.Filled{{ID: id, Paths: []string{"/spec/a", "/spec/b"}}},
			Preview:  []admission.Filled{{ID: id, Paths: []string{"/spec/c"}}},
		})
		want[id+"/filled/"], want[id+"/preview/"] = 1, 1
		for _, reason := range names(t, "Skip reasons") {
			m.of("defaults").evaluated(0, &admission.Result{Skipped: []admission.Skipped{
				{ID: id, Reason: reason, Field: "spec.one"}, {ID: id, Reason: reason, Field: "spec.two"},
			}})
			if reason != "preview" { // counted where it says what would have been filled
				want[id+"/skipped/"+reason] = 1
			}
		}
	}
	if diff := cmp.Diff(want, series(t, r, "gesso_defaults_total")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEveryMetricIsDocumented holds that docs/metrics.md and docs/names.md name the metrics that there are, and no others.
func TestEveryMetricIsDocumented(t *testing.T) {
	name := regexp.MustCompile(`\bgesso_[a-z_]+`)
	unique := func(files ...string) []string {
		var all []string
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name.FindAllString(string(text), -1)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	want := unique("metrics.go", "decisions.go")
	if len(want) < 12 {
		t.Fatalf("%q: were they moved?", want)
	}
	for _, page := range []string{"../docs/metrics.md", "../docs/names.md"} {
		if diff := cmp.Diff(want, unique(page)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", page, diff)
		}
	}
}

func TestPoliciesThatVanishLoseTheirSeries(t *testing.T) {
	m, r := metrics(t)
	found := func(ids ...string) *admission.Result {
		result := &admission.Result{}
		for _, id := range ids {
			result.Violations = append(result.Violations, admission.Violation{Policy: id, Action: "deny"})
		}
		return result
	}
	m.SetLoaded(Loaded{Revision: "r1", Policies: []string{"a", "b"}, Quarantined: []string{"c"}})
	m.of("closed").evaluated(0, found("a", "b"))
	m.SetRejected()
	if diff := cmp.Diff(map[string]float64{"": 1}, series(t, r, "gesso_reload_rejected")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.SetLoaded(Loaded{Revision: "r2", Policies: []string{"b", "c"}, Quarantined: []string{"b"}})
	m.of("closed").evaluated(0, found("a", "b")) // began before the reload: a is gone, and stays so
	for name, want := range map[string]map[string]float64{
		"gesso_policy_decisions_total": {"deny/violation/b": 2},
		"gesso_policy_revision":        {"r2": 1},
		"gesso_policy_quarantined":     {"b": 1},
		"gesso_reload_rejected":        {"": 0},
	} {
		if diff := cmp.Diff(want, series(t, r, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestOwnViolationsAreThoseInForce(t *testing.T) {
	m, r := metrics(t)
	for _, step := range []struct {
		found []admission.Finding
		want  map[string]float64 // action/policy
	}{
		{nil, map[string]float64{}},
		{[]admission.Finding{{Policy: "a", Action: "deny", Field: "x"}, {Policy: "a", Action: "deny", Field: "y"}, {Policy: "b", Action: "warn"}}, map[string]float64{"deny/a": 2, "warn/b": 1}},
		{[]admission.Finding{{Policy: "a", Action: "warn"}}, map[string]float64{"warn/a": 1}},
		{nil, map[string]float64{}},
	} {
		m.SetOwn(step.found)
		if diff := cmp.Diff(step.want, series(t, r, "gesso_own_violations")); diff != "" {
			t.Errorf("%v (-want +got):\n%s", step.found, diff)
		}
	}
}

func TestUnregisteredIsAskedForAtEachScrape(t *testing.T) {
	m, r := metrics(t)
	missing := []string{"a", "b"}
	if err := m.WatchUnregistered(r, func() []string { return slices.Clone(missing) }); err != nil {
		t.Fatal(err)
	}
	if err := m.WatchUnregistered(r, func() []string { return nil }); err == nil {
		t.Error("a second registration is no error")
	}
	for _, want := range []map[string]float64{{"a": 1, "b": 1}, {"b": 1}, {}} {
		missing = nil
		for id := range want {
			missing = append(missing, id)
		}
		if diff := cmp.Diff(want, series(t, r, "gesso_policy_unregistered")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestNoMetricsCountNothing(*testing.T) {
	var m *Metrics
	m.SetLoaded(Loaded{Revision: "r"})
	m.SetRejected()
	m.SetAccepted()
	m.SetOwn([]admission.Finding{{}})
	m.of("closed").evaluated(0, &admission.Result{})
}
