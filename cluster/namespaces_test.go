package cluster

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/gesso-dev/gesso/internal/convention"
)

func resource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
}

func namespace(name string, labels map[string]string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: labels,
			Annotations:   map[string]string{"gesso.dev/secret-prefixes": "/shared", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
	}
}

func client(t testing.TB) *fake.FakeMetadataClient {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewSimpleMetadataClient(scheme)
}

func add(t testing.TB, c *fake.FakeMetadataClient, m *metav1.PartialObjectMetadata) {
	t.Helper()
	if err := c.Tracker().Create(resource(), m, ""); err != nil {
		t.Fatal(err)
	}
}

// watching is a cache that watches c and has synced.
func watching(t *testing.T, c *fake.FakeMetadataClient) *Namespaces {
	t.Helper()
	n, err := NewNamespaces(c, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if n.Synced() {
		t.Error("synced before it was started")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Start returned %v, want nil", err)
		}
	})
	eventually(t, n.Synced)
	return n
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for range 1000 {
		if condition() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it never came true")
}

func TestNamespaceFollowsTheCluster(t *testing.T) {
	c := client(t)
	add(t, c, namespace("team-a", map[string]string{"gesso.dev/environment": "prod"}))
	n := watching(t, c)
	annotations := map[string]string{"gesso.dev/secret-prefixes": "/shared"}

	got, err := n.Namespace(t.Context(), "team-a")
	if err != nil {
		t.Fatal(err)
	}
	want := &convention.Namespace{Name: "team-a", Labels: map[string]string{"gesso.dev/environment": "prod"}, Annotations: annotations}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("namespace (-want +got):\n%s", diff)
	}
	stored, _, err := n.informer.GetStore().GetByKey("team-a")
	if err != nil {
		t.Fatal(err)
	}
	if m := stored.(*metav1.PartialObjectMetadata); m.ManagedFields != nil || len(m.Annotations) != 1 {
		t.Errorf("kept what nobody reads: %v", m.ObjectMeta)
	}

	add(t, c, namespace("team-b", nil))
	if got, err = n.Namespace(t.Context(), "team-b"); err != nil || got.Name != "team-b" {
		t.Errorf("a namespace created later is %v, %v", got, err)
	}
	if err := c.Tracker().Update(resource(), namespace("team-a", map[string]string{"gesso.dev/environment": "dev"}), ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		ns, err := n.Namespace(t.Context(), "team-a")
		return err == nil && ns.Labels["gesso.dev/environment"] == "dev"
	})
	if err := c.Tracker().Delete(resource(), "", "team-a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, known := n.load("team-a"); return !known })
	n.store(namespace("team-c", nil))
	n.forget(cache.DeletedFinalStateUnknown{Key: "team-c"})
	if _, known := n.load("team-c"); known {
		t.Error("a namespace that was deleted while the watch was broken is still known")
	}
}

// idle is a cache that nothing feeds but the test.
func idle(t *testing.T) *Namespaces {
	t.Helper()
	return &Namespaces{waiting: map[string]*waiters{}}
}

func TestWaitIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		limit time.Duration // of the context
		want  time.Duration
	}{
		"by MaxWait":     {limit: time.Minute, want: MaxWait},
		"by the context": {limit: 40 * time.Millisecond, want: 40 * time.Millisecond},
		"already over":   {limit: 0, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := idle(t)
				ctx, cancel := context.WithTimeout(t.Context(), tc.limit)
				defer cancel()
				began := time.Now()
				_, err := n.Namespace(ctx, "team-a")
				if err == nil || err.Error() != `namespace "team-a": not seen yet` {
					t.Errorf("error is %v", err)
				}
				if got := time.Since(began); got != tc.want {
					t.Errorf("waited %v, want %v", got, tc.want)
				}
				if len(n.waiting) != 0 {
					t.Errorf("%d names are still waited for", len(n.waiting))
				}
			})
		})
	}
}

func TestAllWaitersWakeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := idle(t)
		began := time.Now()
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if _, err := n.Namespace(t.Context(), "team-a"); err != nil {
					t.Error(err)
				}
				if got := time.Since(began); got != 100*time.Millisecond {
					t.Errorf("woken after %v, want 100ms", got)
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		n.store(namespace("team-b", nil)) // not theirs
		time.Sleep(50 * time.Millisecond)
		n.store(namespace("team-a", nil))
		group.Wait()
		if len(n.waiting) != 0 {
			t.Errorf("%d names are still waited for", len(n.waiting))
		}
	})
}

func TestGoneAgainBeforeTheWaiterLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := idle(t)
		result := make(chan error, 1)
		go func() { _, err := n.Namespace(t.Context(), "team-a"); result <- err }()
		synctest.Wait()
		n.wake("team-a") // as if it were created and deleted in one breath
		synctest.Wait()
		n.store(namespace("team-a", nil)) // and created anew: the waiter must have joined again
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// TestManyAtOnce creates namespaces while reviews of objects in them are already waiting, all through the real informer.
func TestManyAtOnce(t *testing.T) {
	const names, readers = 50, 8
	c := client(t)
	n := watching(t, c)
	var group sync.WaitGroup
	for i := range names {
		name := fmt.Sprintf("team-%d", i)
		for range readers {
			group.Go(func() {
				// The machine of a test may be slow; the bound is not what is tested here.
				for attempt := range 20 {
					ns, err := n.Namespace(t.Context(), name)
					if err == nil && ns.Name == name && ns.Labels["n"] == name {
						return
					}
					if attempt == 19 {
						t.Errorf("%s: %v, %v", name, ns, err)
					}
				}
			})
		}
		group.Go(func() { add(t, c, namespace(name, map[string]string{"n": name})) })
	}
	group.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) != 0 {
		t.Errorf("%d names are still waited for", len(n.waiting))
	}
}
