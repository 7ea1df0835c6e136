package corpus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/gesso-dev/gesso/e2e"
)

// dryRun creates o in a namespace without storing it and returns what would have been stored.
func dryRun(ctx context.Context, ns string, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return create(ctx, ns, o, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
}

func create(ctx context.Context, ns string, o *unstructured.Unstructured, options metav1.CreateOptions) (*unstructured.Unstructured, error) {
	gvr, err := resource(o.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	o = o.DeepCopy()
	o.SetNamespace(ns)
	o.SetResourceVersion("") // some manifests are exports, and only a dry run overlooks it
	return shared.client.Resource(gvr).Namespace(ns).Create(ctx, o, options)
}

// comparable returns o without what differs between two requests of the same object: what the API server makes up, and where it
// mounts a Pod's token. random says that the name is one of those.
func comparable(o *unstructured.Unstructured, random bool) (map[string]any, error) {
	raw, err := o.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if uid := string(o.GetUID()); uid != "" {
		raw = bytes.ReplaceAll(raw, []byte(uid), []byte("UID")) // Jobs have it in labels, too
	}
	if random && o.GetName() != "" {
		raw = bytes.ReplaceAll(raw, []byte(o.GetName()), []byte("NAME"))
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	delete(out, "status")
	if metadata, ok := out["metadata"].(map[string]any); ok {
		for _, name := range []string{"namespace", "uid", "creationTimestamp", "managedFields", "resourceVersion", "generation"} {
			delete(metadata, name)
		}
	}
	if labels, ok := at(out, "/metadata/labels").(map[string]any); ok && o.GetKind() == "Job" {
		// The API server labels the template, and the Job with it where the two share their labels in its memory: after any patch
		// of any webhook they do not.
		for _, name := range []string{"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"} {
			delete(labels, name)
		}
		if len(labels) == 0 {
			delete(out["metadata"].(map[string]any), "labels")
		}
	}
	if o.GetKind() == "Pod" {
		spec, _ := out["spec"].(map[string]any)
		withoutToken(spec, "volumes")
		for _, list := range []string{"containers", "initContainers"} {
			containers, _ := spec[list].([]any)
			for _, c := range containers {
				container, _ := c.(map[string]any)
				withoutToken(container, "volumeMounts")
			}
		}
	}
	return out, nil
}

// withoutToken drops the elements that the API server made for a Pod's token.
func withoutToken(o map[string]any, list string) {
	elements, _ := o[list].([]any)
	kept := slices.DeleteFunc(elements, func(e any) bool {
		name, _ := at(e, "/name").(string)
		return strings.HasPrefix(name, "kube-api-access-")
	})
	if o[list] = kept; len(kept) == 0 {
		delete(o, list)
	}
}

// nameless returns o as it came where it had no name: with one that the API server made up there would be more to fill.
func nameless(o *unstructured.Unstructured, random bool) *unstructured.Unstructured {
	if random {
		o = o.DeepCopy()
		o.SetName("")
	}
	return o
}

// lost returns the places where was is not in is any more, as it was and in its order: is may have more members, and more
// elements at the end of lists.
func lost(was, is any, path string) []string {
	switch w := was.(type) {
	case map[string]any:
		i, ok := is.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: was %s, is %s", path, text(was), text(is))}
		}
		var all []string
		for name, value := range w {
			below := path + "." + name
			if _, there := i[name]; !there {
				all = append(all, fmt.Sprintf("%s: was %s, is gone", below, text(value)))
				continue
			}
			all = append(all, lost(value, i[name], below)...)
		}
		slices.Sort(all)
		return all
	case []any:
		i, ok := is.([]any)
		if !ok || len(i) < len(w) {
			return []string{fmt.Sprintf("%s: was %s, is %s", path, text(was), text(is))}
		}
		var all []string
		for n := range w {
			all = append(all, lost(w[n], i[n], fmt.Sprintf("%s[%d]", path, n))...)
		}
		return all
	}
	if text(was) != text(is) {
		return []string{fmt.Sprintf("%s: was %s, is %s", path, text(was), text(is))}
	}
	return nil
}

// text is canonical JSON.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// at returns what stands at a JSON pointer, nil for nothing.
func at(o any, pointer string) any {
	value, _ := e2e.At(o, pointer)
	return value
}
