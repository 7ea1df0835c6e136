package corpus

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/convention"
	kube "github.com/gesso-dev/gesso/internal/object"
)

// recordAnnotation is where Gesso notes what it filled.
const recordAnnotation = "gesso.dev/filled"

// storedAll really creates every object with Gesso at work, reads it back, sends it back as it is, and deletes it. Nothing changes
// when it is sent back, and nothing is left to fill in what was read: neither as an update of itself nor as a new object.
func storedAll(t *testing.T, entries []entry, was []*unstructured.Unstructured, g *gesso, ns string, labels map[string]string) {
	t.Helper()
	sum := newSummary(t, "stored in "+ns)
	accepted, _ := pick(entries, was)
	spaces := make(chan string, 8) // one for each goroutine: many objects have the same name
	for i := range cap(spaces) {
		space := fmt.Sprintf("%s-stored-%d", ns, i)
		var flags []string
		for name, value := range labels {
			flags = append(flags, name+"="+value)
		}
		namespace(t, space, flags...)
		accounts(t, accepted, space)
		spaces <- space
	}
	each(t, accepted, sum, func(_ int, e entry) {
		space := <-spaces
		defer func() { spaces <- space }()
		read, err := storeOne(t.Context(), space, e)
		if err != nil {
			sum.fail(e, "%v", err)
			return
		}
		if read == nil {
			sum.count(e, false)
			return
		}
		sum.count(e, true)
		for _, operation := range []string{"UPDATE", "CREATE"} {
			if err := g.leaves(nameless(read, e.object.GetName() == ""), operation, &convention.Namespace{Name: space, Labels: labels}); err != nil {
				sum.fail(e, "%v", err)
			}
		}
	})
	sum.print()
}

// storeOne creates, reads, updates and deletes one object. It returns what was read; nil where an object of that name is there that
// nobody here has made, and where the object is gone already.
func storeOne(ctx context.Context, ns string, e entry) (*unstructured.Unstructured, error) {
	gvr, err := resource(e.object.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	client := shared.client.Resource(gvr).Namespace(ns)
	made, err := createAfter(ctx, ns, e.object)
	if apierrors.IsAlreadyExists(err) {
		return nil, nil //nolint:nilnil // said above
	}
	if err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	read, err := sendBack(ctx, client, made.GetName())
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // a Job without work is over at once, and some are deleted then
	}
	if err != nil {
		return nil, err
	}
	background, now := metav1.DeletePropagationBackground, int64(0)
	err = client.Delete(ctx, made.GetName(), metav1.DeleteOptions{PropagationPolicy: &background, GracePeriodSeconds: &now})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("delete: %w", err)
	}
	return read, nil
}

// createAfter creates o; one of the same name may just be going.
func createAfter(ctx context.Context, ns string, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	for try := 0; ; try++ {
		made, err := create(ctx, ns, o, metav1.CreateOptions{})
		if try == 20 || !apierrors.IsAlreadyExists(err) || o.GetName() == "default" {
			return made, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// sendBack reads an object and sends it as it is; controllers may write to it in between. Nothing may change but what the API server
// counts.
func sendBack(ctx context.Context, client dynamic.ResourceInterface, name string) (*unstructured.Unstructured, error) {
	for try := 0; ; try++ {
		read, err := client.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read back: %w", err)
		}
		again, err := client.Update(ctx, read.DeepCopy(), metav1.UpdateOptions{})
		if apierrors.IsConflict(err) && try < 20 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("send back: %w", err)
		}
		before, after := read.DeepCopy(), again
		for _, o := range []*unstructured.Unstructured{before, after} {
			o.SetResourceVersion("")
			o.SetManagedFields(nil) // has the time of the update
		}
		if text(before) != text(after) {
			return nil, fmt.Errorf("sent back as it is, it changed: %v", append(lost(before.Object, after.Object, ""), lost(after.Object, before.Object, "(after)")...))
		}
		return read, nil
	}
}

// leaves holds that nothing is filled in o, which is filled already, and that its record stays.
func (g *gesso) leaves(o *unstructured.Unstructured, operation string, ns *convention.Namespace) error {
	raw, err := o.MarshalJSON()
	if err != nil {
		return err
	}
	r := defaults.Request{Operation: operation, Namespace: ns, NamespaceName: ns.Name}
	if r.Object, err = kube.New(bytes.Clone(raw)); err != nil {
		return err
	}
	if operation == "UPDATE" {
		if r.Old, err = kube.New(bytes.Clone(raw)); err != nil {
			return err
		}
	}
	record := recordOf(r.Object)
	out := g.set.Fill(r)
	if len(out.Patch) > 0 {
		return fmt.Errorf("%s of what was read back is filled again: %s", operation, text(out.Patch))
	}
	if now := recordOf(r.Object); now != record {
		return fmt.Errorf("%s of what was read back has another record:\n%s\n%s", operation, record, now)
	}
	return nil
}

func recordOf(o *kube.Object) string {
	if tpl := o.Template(); tpl != nil {
		return tpl.Node.Get("metadata", "annotations", recordAnnotation).Str()
	}
	return o.Root.Get("metadata", "annotations", recordAnnotation).Str()
}
