package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/gesso-dev/gesso/policies"
)

// reading is a set of one policy that reads kinds, lines of METADATA, and shows all it has in one violation.
func reading(t testing.TB, kinds ...string) *policies.Set {
	t.Helper()
	text := "# METADATA\n# title: it reads\n# custom:\n#   gesso:\n#     match: {kinds: [{group: \"\", kind: ConfigMap}]}\n#     inventory:\n"
	for _, kind := range kinds {
		text += "#     - " + kind + "\n"
	}
	if len(kinds) == 0 {
		text = strings.Replace(text, "#     inventory:\n", "", 1)
		text += "package gesso.policies.reading\n\ndeny contains \"{}\" if true\n"
	} else {
		text += "package gesso.policies.reading\n\ndeny contains json.marshal(input.inventory) if true\n"
	}
	set, problems := policies.Load(t.Context(), []policies.Source{{
		Name: "test", FS: fstest.MapFS{"reading/reading.rego": &fstest.MapFile{Data: []byte(text)}},
	}}, nil)
	for _, p := range problems {
		t.Fatal(p)
	}
	return set.WithDeadline(time.Minute)
}

const (
	stores    = `{name: stores, group: external-secrets.io, version: v1, kind: SecretStore, by: metadata.namespace, fields: [spec.prefix]}`
	storesAll = `{name: stores, group: external-secrets.io, version: v1, kind: SecretStore, by: metadata.namespace, fields: [spec.prefix, spec.role]}`
	classes   = `{name: classes, group: networking.k8s.io, version: v1, kind: IngressClass, resource: ingressclasses, by: metadata.name, fields: [spec.controller]}`
)

// seen is what the policy of the set sees, or why it could not decide.
func seen(t testing.TB, set *policies.Set, inv *policies.Inventory) string {
	t.Helper()
	request := json.RawMessage(`{"uid":"1","operation":"CREATE","kind":{"group":"","version":"v1","kind":"ConfigMap"},"object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}}`)
	d := set.Evaluate(t.Context(), policies.Review{Version: "v1", Kind: "ConfigMap", Operation: "CREATE", Request: request, Inventory: inv.Snapshot()})
	if len(d.Undecided) > 0 {
		return d.Undecided[0].Reason
	}
	return d.Violations[0].Message
}

func storesResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "external-secrets.io", Version: "v1", Resource: "secretstores"}
}

func store(namespace, name, prefix string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec":     map[string]any{"prefix": prefix, "role": "reader", "other": "not read"},
	}}
}

func cluster(objects ...runtime.Object) *fake.FakeDynamicClient {
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		storesResource(): "SecretStoreList",
		{Group: "networking.k8s.io", Version: "v1", Resource: "ingressclasses"}: "IngressClassList",
	}, objects...)
}

// inventory is one that tries again fast.
func inventory(t testing.TB, c dynamic.Interface, log logr.Logger) *Inventory {
	t.Helper()
	i := NewInventory(c, log)
	i.backoff = wait.Backoff{Duration: 10 * time.Millisecond, Factor: 1, Steps: 1 << 20}
	t.Cleanup(i.Stop)
	return i
}

// becomes waits until the policy sees want.
func becomes(t *testing.T, set *policies.Set, inv *policies.Inventory, want string) {
	t.Helper()
	for range 1000 {
		if seen(t, set, inv) == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("-want +got:\n%s", cmp.Diff(want, seen(t, set, inv)))
}

func TestInventoryFollowsTheCluster(t *testing.T) {
	c := cluster(store("team-a", "main", "/prod/team-a/"))
	i := inventory(t, c, logr.Discard())
	set := reading(t, stores)
	inv := i.Use(set)
	i.Settle(t.Context())
	if notes, missing := i.Notes(), i.Missing(); len(notes)+len(missing) > 0 {
		t.Errorf("notes %q, missing %q", notes, missing)
	}
	// Nothing but the names and what is declared is kept.
	main := `"main":`
	becomes(t, set, inv, `{"stores":{"team-a":{"team-a/main":{"metadata":{"name":"main","namespace":"team-a"},"spec":{"prefix":"/prod/team-a/"}}}}}`)
	for _, step := range []struct {
		what   string
		change func() error
		want   string
	}{
		{"created", func() error { return c.Tracker().Create(storesResource(), store("team-b", "other", "/b/"), "team-b") }, `"team-b/other"`},
		{"changed", func() error { return c.Tracker().Update(storesResource(), store("team-b", "other", "/c/"), "team-b") }, `"/c/"`},
		{"deleted", func() error { return c.Tracker().Delete(storesResource(), "team-a", "main") }, `{"stores":{"team-b":{"team-b/other":{"metadata":{"name":"other","namespace":"team-b"},"spec":{"prefix":"/c/"}}}}}`},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return strings.Contains(seen(t, set, inv), step.want) })
	}
	if got := seen(t, set, inv); strings.Contains(got, main) {
		t.Errorf("a store that was deleted is still there: %s", got)
	}
}

// lists counts the list calls of a resource.
func lists(c *fake.FakeDynamicClient, resource string) int {
	count := 0
	for _, a := range c.Actions() {
		if a.Matches("list", resource) {
			count++
		}
	}
	return count
}

func TestInventoryAcrossReloads(t *testing.T) {
	c := cluster(store("team-a", "main", "/prod/team-a/"))
	i := inventory(t, c, logr.Discard())
	first := reading(t, stores)
	inv1 := i.Use(first)
	i.Settle(t.Context())
	const want = `{"stores":{"team-a":{"team-a/main":{"metadata":{"name":"main","namespace":"team-a"},"spec":{"prefix":"/prod/team-a/"}}}}}`
	becomes(t, first, inv1, want)

	// The same is read: known at once, and not listed again.
	second := reading(t, stores)
	inv2 := i.Use(second)
	if got := seen(t, second, inv2); got != want {
		t.Errorf("after a reload that changes nothing: %s", got)
	}
	if got := lists(c, "secretstores"); got != 1 {
		t.Errorf("%d lists, want 1", got)
	}

	// More is read of the same kind, and another kind.
	third := reading(t, storesAll, classes)
	inv3 := i.Use(third)
	i.Settle(t.Context())
	becomes(t, third, inv3, `{"classes":{},"stores":{"team-a":{"team-a/main":{"metadata":{"name":"main","namespace":"team-a"},"spec":{"prefix":"/prod/team-a/","role":"reader"}}}}}`)
	if got := seen(t, second, inv2); got != want {
		t.Errorf("a review that still uses the set before sees %s", got)
	}
	if got := lists(c, "secretstores"); got != 2 {
		t.Errorf("%d lists, want 2", got)
	}

	// Nothing is read any more: nothing is watched.
	fourth := reading(t)
	i.Use(fourth)
	if got := len(i.watches()); got != 0 {
		t.Errorf("%d kinds are watched for policies that read nothing", got)
	}
	// Read again: as it is now, not as it was.
	if err := c.Tracker().Update(storesResource(), store("team-a", "main", "/new/"), "team-a"); err != nil {
		t.Fatal(err)
	}
	inv5 := i.Use(first)
	becomes(t, first, inv5, strings.ReplaceAll(want, "/prod/team-a/", "/new/"))
}

func notServed() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonNotFound, Code: 404, Message: "the server could not find the requested resource"}}
}

// refusing lets lists of stores fail while there is an error.
func refusing(c *fake.FakeDynamicClient) *atomic.Pointer[error] {
	var reason atomic.Pointer[error]
	c.PrependReactor("list", "secretstores", func(clienttesting.Action) (bool, runtime.Object, error) {
		if err := reason.Load(); err != nil {
			return true, nil, *err
		}
		return false, nil, nil
	})
	return &reason
}

func TestInventoryThatCannotBeRead(t *testing.T) {
	for name, tc := range map[string]struct {
		err          error
		want         string // what the policy sees
		wantNote     string
		wantMissing  int
		wantMessages int
	}{
		"no CRD": {
			err: notServed(), want: `{"stores":{}}`, wantMessages: 1,
			wantNote: "inventory of SecretStore.external-secrets.io: the cluster does not serve SecretStore.external-secrets.io in version v1, so there is none",
		},
		"forbidden": {
			err:  apierrors.NewForbidden(storesResource().GroupResource(), "", errors.New("no")),
			want: "the inventory of SecretStore.external-secrets.io has not been read yet", wantMissing: 1, wantMessages: 1,
			wantNote: "inventory of SecretStore.external-secrets.io: Gesso may not list and watch SecretStore.external-secrets.io; policies that read it cannot decide",
		},
		"away": {
			err: errors.New("connection refused"), want: "the inventory of SecretStore.external-secrets.io has not been read yet", wantMissing: 1, wantMessages: 1,
			wantNote: "inventory of SecretStore.external-secrets.io: cannot be read: failed to list SecretStore.external-secrets.io: connection refused; policies that read it cannot decide",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster(store("team-a", "main", "/a/"))
			reason := refusing(c)
			reason.Store(&tc.err)
			log := &lines{}
			i := inventory(t, c, log.logger())
			set := reading(t, stores)
			inv := i.Use(set)
			i.Settle(t.Context())
			becomes(t, set, inv, tc.want)
			eventually(t, func() bool { return lists(c, "secretstores") > 3 }) // it is tried again
			notes := i.Notes()
			if diff := cmp.Diff([]string{tc.wantNote}, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if got := len(i.Missing()); got != tc.wantMissing {
				t.Errorf("%d are missing, want %d", got, tc.wantMissing)
			}
			if got := log.all(); len(got) != tc.wantMessages { // not at every try
				t.Errorf("%d messages, want %d: %q", len(got), tc.wantMessages, got)
			}
			reason.Store(nil) // the CRD arrives, the role is granted, the API server is back
			eventually(t, func() bool { return strings.Contains(seen(t, set, inv), "/a/") })
			eventually(t, func() bool { return len(i.Notes())+len(i.Missing()) == 0 })
		})
	}
}

func TestInventoryBeforeItIsRead(t *testing.T) {
	c := cluster()
	release := make(chan struct{})
	c.PrependReactor("list", "secretstores", func(clienttesting.Action) (bool, runtime.Object, error) {
		<-release
		return false, nil, nil
	})
	i := inventory(t, c, logr.Discard())
	set := reading(t, stores)
	inv := i.Use(set)
	if got, want := seen(t, set, inv), "the inventory of SecretStore.external-secrets.io has not been read yet"; got != want {
		t.Errorf("it sees %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{"inventory of SecretStore.external-secrets.io: not read yet; policies that read it cannot decide"}, i.Notes()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	i.Settle(ctx)
	if ctx.Err() == nil {
		t.Error("settled before anything was read")
	}
	close(release)
	becomes(t, set, inv, `{"stores":{}}`)
}

// TestInventoryUnderLoad changes objects and policies at once; at the end the inventory is what the cluster is.
func TestInventoryUnderLoad(t *testing.T) {
	c := cluster()
	i := inventory(t, c, logr.Discard())
	sets := []*policies.Set{reading(t, stores), reading(t, storesAll), reading(t), reading(t, stores, classes)}
	var group sync.WaitGroup
	group.Go(func() {
		for n := range 60 { // the fake keeps 100 events at most
			name := fmt.Sprintf("s-%d", n)
			if err := c.Tracker().Create(storesResource(), store("team-a", name, "/a/"), "team-a"); err != nil {
				t.Error(err)
			}
			if n%2 == 0 {
				if err := c.Tracker().Delete(storesResource(), "team-a", name); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for n := range 40 {
		set := sets[n%len(sets)]
		seen(t, set, i.Use(set))
	}
	group.Wait()
	set := sets[0]
	inv := i.Use(set)
	eventually(t, func() bool { return strings.Count(seen(t, set, inv), `"/a/"`) == 30 })
}

func TestInventoryStops(t *testing.T) {
	i := inventory(t, cluster(), logr.Discard())
	i.Use(reading(t, stores, classes))
	i.Stop()
	for _, w := range i.watches() {
		select {
		case <-w.ended:
		default:
			t.Errorf("%s is still watched", w.name())
		}
	}
	i.Use(reading(t, stores)) // a reload during the shutdown
	i.Stop()
}

// lines keeps what is logged.
type lines struct {
	mu   sync.Mutex
	kept []string
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept)
}

func (l *lines) logger() logr.Logger {
	return logr.New(sink{l})
}

type sink struct{ *lines }

func (s sink) Init(logr.RuntimeInfo)             {}
func (s sink) Enabled(level int) bool            { return level == 0 }
func (s sink) WithValues(...any) logr.LogSink    { return s }
func (s sink) WithName(string) logr.LogSink      { return s }
func (s sink) Error(_ error, m string, _ ...any) { s.Info(0, m) }
func (s sink) Info(_ int, m string, _ ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, m)
}
