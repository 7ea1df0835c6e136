package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
	"github.com/gesso-dev/gesso/webhook"
)

// emptyCluster is one in which there is nothing to read.
type emptyCluster struct{}

func (emptyCluster) Use(set *policies.Set) *policies.Inventory {
	inventory := policies.NewInventory(set)
	for _, kind := range set.InventoryKinds() {
		inventory.MarkSynced(kind.Group, kind.Kind)
	}
	return inventory
}

func (emptyCluster) Settle(context.Context) {}

// served is a reloader over files in a folder, and what it said.
type served struct {
	*reloader
	dir      string
	registry *prometheus.Registry
	log      chan string
}

// serving loads what is in a folder: profile.yaml, exceptions.yaml, policies/. It does not watch.
func serving(t *testing.T, files map[string]string) *served {
	t.Helper()
	s := &served{dir: t.TempDir(), registry: prometheus.NewRegistry(), log: make(chan string, 100)}
	s.write(t, files)
	metrics, err := webhook.NewMetrics(s.registry, webhook.Build{})
	if err != nil {
		t.Fatal(err)
	}
	s.reloader = &reloader{
		flags: &engineFlags{
			profile: filepath.Join(s.dir, "profile.yaml"), exceptions: filepath.Join(s.dir, "exceptions.yaml"),
			policies: []string{filepath.Join(s.dir, "policies")}, deadline: time.Minute,
		},
		inventories: emptyCluster{}, metrics: metrics,
		log: funcr.New(func(_, args string) { s.log <- strings.ReplaceAll(args, s.dir+"/", "") }, funcr.Options{}),
	}
	return s
}

func (s *served) write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		write(t, filepath.Join(s.dir, name), []byte(text))
	}
}

// revision is the one in force.
func (s *served) revision() string { return s.current.pointer.Load().Revision() }

// said returns what was logged since the last call.
func (s *served) said() string {
	var all []string
	for {
		select {
		case line := <-s.log:
			all = append(all, line)
		default:
			return strings.Join(all, "\n")
		}
	}
}

// found reviews a ConfigMap and returns what is found, policy: message.
func (s *served) found(t *testing.T) []string {
	t.Helper()
	o, err := object.New([]byte(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "team-a"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := admission.NewRequest(o, nil, "configmaps", "team-a", admission.User{Name: "developer"})
	if err != nil {
		t.Fatal(err)
	}
	r.Now = time.Now()
	var result admission.Result
	s.current.Answer(t.Context(), &r, &result)
	for _, u := range result.Undecided {
		t.Errorf("%s could not decide: %s", u.Policy, u.Reason)
	}
	found := []string{}
	for _, v := range result.Violations {
		found = append(found, v.Action+" "+v.Policy+": "+v.Message)
	}
	return found
}

// saying is a policy that finds the same in every ConfigMap.
func saying(id, message string) string {
	return fmt.Sprintf("# METADATA\n# title: it says something\n# custom:\n#   gesso:\n#     match: {kinds: [{group: \"\", kind: ConfigMap}]}\n"+
		"package gesso.policies.%s\n\ndeny contains %q if true\n", strings.ReplaceAll(id, "-", "_"), message)
}

const (
	minimalProfile  = "apiVersion: gesso.dev/v1alpha1\nkind: Profile\nmetadata: {name: test}\nspec: {}\n"
	warningProfile  = "apiVersion: gesso.dev/v1alpha1\nkind: Profile\nmetadata: {name: test}\nspec: {policies: {one: {action: warn}}}\n"
	brokenProfile   = "apiVersion: gesso.dev/v1alpha1\nkind: Profile\nmetadata: {name: test}\nspec: {polcies: {}}\n"
	exceptionForOne = "apiVersion: gesso.dev/v1alpha1\nkind: Exception\nmetadata: {name: soon}\nspec: {policies: [one], objects: {names: [c]}, owner: a, reason: b, expires: 2999-01-01T00:00:00Z}\n"
	brokenException = "apiVersion: gesso.dev/v1alpha1\nkind: Exception\nmetadata: {name: soon}\nspec: {policies: [nine], objects: {names: [c]}, owner: a, reason: b, expires: 2999-01-01T00:00:00Z}\n"
	onePolicy       = "policies/one/one.rego"
	twoPolicy       = "policies/two/two.rego"
)

func good() map[string]string {
	return map[string]string{
		"profile.yaml": minimalProfile, "exceptions.yaml": "# none\n", onePolicy: saying("one", "first"), twoPolicy: saying("two", "first"),
	}
}

// TestReload makes one change after the other. Each step says what is found then, and what is logged.
func TestReload(t *testing.T) {
	s := serving(t, good())
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what     string
		files    map[string]string
		remove   string
		want     []string
		wantSaid []string // parts of one line; none for no line
		stays    bool     // the revision
	}{
		{
			what: "nothing", stays: true,
			want: []string{"deny one: first", "deny two: first"},
		},
		{
			what: "a policy says something else", files: map[string]string{onePolicy: saying("one", "second")},
			want:     []string{"deny one: second", "deny two: first"},
			wantSaid: []string{`"msg"="reload: in force"`, `"problems"=[]`},
		},
		{
			what: "a comment in the Profile", files: map[string]string{"profile.yaml": "# why\n" + minimalProfile}, stays: true,
			want: []string{"deny one: second", "deny two: first"},
		},
		{
			what: "the Profile changes an action", files: map[string]string{"profile.yaml": warningProfile},
			want:     []string{"warn one: second", "deny two: first"},
			wantSaid: []string{`"msg"="reload: in force"`},
		},
		{
			what: "a Profile that does not load keeps everything, the policies of the same moment too", stays: true,
			files:    map[string]string{"profile.yaml": brokenProfile, onePolicy: saying("one", "third")},
			want:     []string{"warn one: second", "deny two: first"},
			wantSaid: []string{`"msg"="reload: the files cannot be used; what was loaded before stays in force"`, `profile.yaml: `, `polcies`},
		},
		{
			what: "the Profile is whole again", files: map[string]string{"profile.yaml": warningProfile},
			want:     []string{"warn one: third", "deny two: first"},
			wantSaid: []string{`"msg"="reload: in force"`},
		},
		{
			what: "an exception", files: map[string]string{"exceptions.yaml": exceptionForOne, "profile.yaml": minimalProfile},
			want:     []string{"audit one: third", "deny two: first"},
			wantSaid: []string{`"msg"="reload: in force"`},
		},
		{
			what: "an exception from nothing", files: map[string]string{"exceptions.yaml": brokenException}, stays: true,
			want:     []string{"audit one: third", "deny two: first"},
			wantSaid: []string{`"msg"="reload: the files cannot be used; what was loaded before stays in force"`, `there is no policy \"nine\"`},
		},
		{
			what: "no exception", files: map[string]string{"exceptions.yaml": "# none\n"},
			want:     []string{"deny one: third", "deny two: first"},
			wantSaid: []string{`"msg"="reload: in force"`},
		},
		{
			what:  "a policy that does not compile serves on as it was, and all others go with the times",
			files: map[string]string{onePolicy: saying("one", "broken") + "deny contains \"x\" if no_such\n", twoPolicy: saying("two", "second")},
			want:  []string{"deny one: third", "deny two: second"},
			wantSaid: []string{
				`"msg"="reload: in force"`, `"problems"=["policies/one/one.rego:9:22: var no_such is unsafe (the version before serves on)"]`,
			},
		},
		{
			what: "a parameter that it does not take", files: map[string]string{
				onePolicy: saying("one", "fourth"), "profile.yaml": strings.Replace(minimalProfile, "{}", "{policies: {one: {parameters: {a: 1}}}}", 1),
			},
			want: []string{"deny one: third", "deny two: second"},
			wantSaid: []string{
				`"msg"="reload: in force"`, `"problems"=["profile.yaml: spec.policies[one]: parameter \"a\": the policy takes no parameters (the version before serves on)"]`,
			},
		},
		{
			what: "all is well again", files: map[string]string{onePolicy: saying("one", "third"), twoPolicy: saying("two", "first"), "profile.yaml": minimalProfile},
			want:     []string{"deny one: third", "deny two: first"},
			wantSaid: []string{`"msg"="reload: in force"`, `"problems"=[]`},
		},
		{
			what: "a policy is gone", remove: "policies/two",
			want:     []string{"deny one: third"},
			wantSaid: []string{`"msg"="reload: in force"`},
		},
		{
			what: "the folder of the policies is gone", remove: "policies", stays: true,
			want:     []string{"deny one: third"},
			wantSaid: []string{`"msg"="reload: the files cannot be used; what was loaded before stays in force"`, "read policies: policies: no such file"},
		},
		{
			what: "and is back", files: map[string]string{onePolicy: saying("one", "third"), twoPolicy: saying("two", "third")},
			want:     []string{"deny one: third", "deny two: third"},
			wantSaid: []string{`"msg"="reload: in force"`},
		},
	} {
		before := s.revision()
		if step.remove != "" {
			remove(t, filepath.Join(s.dir, step.remove))
		}
		s.write(t, step.files)
		s.reload(t.Context())
		if got := s.found(t); !slices.Equal(got, step.want) {
			t.Errorf("%s: found %q, want %q", step.what, got, step.want)
		}
		if stays := before == s.revision(); stays != step.stays {
			t.Errorf("%s: the revision stays: %v, want %v", step.what, stays, step.stays)
		}
		said := s.said()
		lines := strings.Count(said, `"msg"`)
		if want := min(len(step.wantSaid), 1); lines != want {
			t.Errorf("%s: %d lines, want %d:\n%s", step.what, lines, want, said)
		}
		for _, part := range step.wantSaid {
			if !strings.Contains(said, part) {
				t.Errorf("%s: it does not say %s:\n%s", step.what, part, said)
			}
		}
	}
}

// gauges returns the label values of a metric with one label, those with the value 1.
func (s *served) gauges(t *testing.T, name string) []string {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != name || m.GetGauge().GetValue() != 1 {
				continue
			}
			value := "1"
			for _, l := range m.GetLabel() {
				value = l.GetValue()
			}
			all = append(all, value)
		}
	}
	return all
}

func TestColdStart(t *testing.T) {
	t.Run("a bad Profile is one error", func(t *testing.T) {
		s := serving(t, map[string]string{"profile.yaml": brokenProfile, onePolicy: saying("one", "first"), "exceptions.yaml": ""})
		err := s.start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "polcies") || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a bad policy is left out", func(t *testing.T) {
		files := good()
		files[onePolicy] += "deny contains \"x\" if no_such\n"
		s := serving(t, files)
		if err := s.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := s.found(t), []string{"deny two: first"}; !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
		if said := s.said(); !strings.Contains(said, "policies/one/one.rego:9:22: ") || strings.Count(said, `"msg"`) != 1 {
			t.Errorf("it says %s", said)
		}
		if got := s.gauges(t, "gesso_policy_quarantined"); !slices.Equal(got, []string{"one"}) {
			t.Errorf("quarantined are %q", got)
		}
		if got := s.gauges(t, "gesso_policy_revision"); !slices.Equal(got, []string{s.revision()}) {
			t.Errorf("revisions are %q, want %q", got, s.revision())
		}
		files = good()
		s.write(t, files)
		s.reload(t.Context())
		if got, want := s.found(t), []string{"deny one: first", "deny two: first"}; !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
		if got := s.gauges(t, "gesso_policy_quarantined"); len(got) > 0 {
			t.Errorf("quarantined are %q", got)
		}
		if got := s.gauges(t, "gesso_policy_revision"); !slices.Equal(got, []string{s.revision()}) {
			t.Errorf("revisions are %q, want %q", got, s.revision())
		}
	})
}

func TestRejectionIsTold(t *testing.T) {
	s := serving(t, good())
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.write(t, map[string]string{"profile.yaml": brokenProfile})
	s.reload(t.Context())
	since := s.rejected.Load().since
	if got := s.gauges(t, "gesso_reload_rejected"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("gesso_reload_rejected is %q", got)
	}
	s.write(t, map[string]string{"profile.yaml": "\n" + brokenProfile})
	s.reload(t.Context())
	if got := s.rejected.Load().since; !got.Equal(since) {
		t.Errorf("since %v, want %v", got, since)
	}
	s.write(t, map[string]string{"profile.yaml": minimalProfile})
	s.reload(t.Context())
	if got := s.gauges(t, "gesso_reload_rejected"); len(got) > 0 || s.rejected.Load() != nil {
		t.Errorf("still rejected: %q", got)
	}
}

// TestReloadFromDisk changes real files under a watch, while reviews go on: the change is in force soon, and no review waits for
// a reload. The bounds are those of a busy machine; what it took is logged.
func TestReloadFromDisk(t *testing.T) {
	s := serving(t, good())
	files := newFileWatch(logr.Discard(), s.trees()...)
	files.poll = time.Hour
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); files.run(ctx, s.reload) }()
	var slowestReview atomic.Int64
	reviewed := make(chan struct{})
	go func() {
		defer close(reviewed)
		for ctx.Err() == nil {
			began := time.Now()
			if got := len(s.found(t)); got != 2 {
				t.Errorf("found %d, want 2", got)
			}
			slowestReview.Store(max(slowestReview.Load(), int64(time.Since(began))))
			time.Sleep(time.Millisecond)
		}
	}()
	for i := range 5 {
		message := fmt.Sprintf("version %d", i)
		began := time.Now()
		s.write(t, map[string]string{onePolicy: saying("one", message)})
		for s.found(t)[0] != "deny one: "+message {
			if time.Since(began) > slowest {
				t.Fatalf("%s is not in force", message)
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Logf("%s in force after %v", message, time.Since(began).Round(time.Millisecond))
	}
	cancel()
	<-done
	<-reviewed
	t.Logf("the slowest review took %v", time.Duration(slowestReview.Load()))
	if got := time.Duration(slowestReview.Load()); got > 2*time.Second {
		t.Errorf("a review took %v during reloads", got)
	}
}
