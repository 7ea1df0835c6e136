package argocd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/argocd"
)

// TestCorpus asks Argo CD about the manifests of the file that GESSO_CORPUS names, one JSON object {"source", "object"} a line:
// each is created by dry-run, and must be Synced with Gesso wherever it is without, unless Git holds an explicit null or something
// empty where Gesso fills (see exceptions).
func TestCorpus(t *testing.T) {
	path := os.Getenv("GESSO_CORPUS")
	if path == "" {
		t.Skip("GESSO_CORPUS names no file of manifests")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const filled = "corpus"
	namespace(t, filled)
	namespace(t, alone)
	counts := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, len(raw)+1)
	for number := 1; lines.Scan(); number++ {
		var entry struct {
			Source string
			Object map[string]any
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatalf("line %d: %v", number, err)
		}
		for how, mode := range map[argocd.How]argocd.Mode{argocd.ClientSide: argocd.Legacy, argocd.ServerSide: argocd.StructuredMerge} {
			outcome := judge(t, entry.Object, how, mode, filled)
			counts[fmt.Sprintf("%s, %s", mode, outcome.class)]++
			if outcome.class == wrong {
				t.Errorf("line %d, %s (%s %v), %s: OutOfSync at %v", number, entry.Source, entry.Object["kind"], nameOf(entry.Object), mode, outcome.paths)
			} else if outcome.detail != "" {
				t.Logf("line %d, %s (%s %v), %s: %s %s %v", number, entry.Source, entry.Object["kind"], nameOf(entry.Object), mode, outcome.class, outcome.detail, outcome.paths)
			}
		}
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%s: %d", class, counts[class])
	}
	if len(counts) == 0 {
		t.Error("no objects")
	}
}

// class is what became of a manifest.
type class string

const (
	synced     class = "Synced"
	nothing    class = "Synced, nothing filled"
	explicit   class = "OutOfSync by an explicit null or an empty map or list"
	withoutToo class = "OutOfSync without Gesso too"
	refused    class = "refused without Gesso too"
	wrong      class = "OutOfSync"
)

type outcome struct {
	class  class
	paths  []string
	detail string
}

// judge compares a manifest with what its first sync would store, with Gesso and without.
func judge(t *testing.T, manifest map[string]any, how argocd.How, mode argocd.Mode, filled string) outcome {
	t.Helper()
	first := func(ns string) (map[string]any, argocd.Verdict, error) {
		git := clone(manifest)
		set(git, ns, "metadata", "namespace")
		if nameOf(git) == nil {
			set(git, "nameless", "metadata", "name")
		}
		live, err := shared.argo.Create(how, git)
		if err != nil {
			return nil, argocd.Verdict{}, err
		}
		verdicts, err := shared.argo.DiffWith(git, live, mode)
		if err == nil && verdicts[mode].Error != "" {
			err = errors.New(verdicts[mode].Error)
		}
		return live, verdicts[mode], err
	}
	without, verdictWithout, errWithout := first(alone)
	with, verdict, err := first(filled)
	switch {
	case errWithout != nil:
		return outcome{class: refused, detail: errWithout.Error()}
	case err != nil:
		return outcome{class: wrong, paths: []string{err.Error()}}
	case !verdict.OutOfSync && sameSpec(with, without):
		return outcome{class: nothing}
	case !verdict.OutOfSync:
		return outcome{class: synced}
	}
	var mine []string
	for _, path := range verdict.Paths {
		if !slices.Contains(verdictWithout.Paths, path) {
			mine = append(mine, path)
		}
	}
	if len(mine) == 0 {
		return outcome{class: withoutToo, paths: verdict.Paths}
	}
	for _, path := range mine {
		if !emptied(manifest, path, mode) {
			return outcome{class: wrong, paths: mine}
		}
	}
	return outcome{class: explicit, paths: mine, detail: "at"}
}

// emptied says whether Git holds at a JSON pointer or above it what exceptions are about: an explicit null, an empty map that
// Kubernetes drops, or for legacy an empty list.
func emptied(o any, pointer string, mode argocd.Mode) bool {
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, token := range tokens {
		found, there := e2e.At(o, "/"+strings.Join(tokens[:i+1], "/"))
		if !there {
			return false
		}
		switch v := found.(type) {
		case nil:
			return true
		case []any:
			if len(v) == 0 {
				return mode == argocd.Legacy
			}
		case map[string]any:
			if len(v) == 0 {
				return slices.Contains([]string{"annotations", "labels", "requests", "limits"}, token)
			}
		}
	}
	return false
}

// sameSpec says whether two objects in different namespaces hold the same but for what the API server makes up.
func sameSpec(a, b map[string]any) bool {
	strip := func(o map[string]any) string {
		o = clone(o)
		metadata := o["metadata"].(map[string]any)
		for _, key := range []string{"namespace", "uid", "creationTimestamp", "managedFields"} {
			delete(metadata, key)
		}
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
		}
		raw, err := json.Marshal(o)
		if err != nil {
			panic(err) // it came from JSON
		}
		uid, _ := e2e.At(o, "/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid")
		if s, ok := uid.(string); ok {
			return strings.ReplaceAll(string(raw), s, "")
		}
		return string(raw)
	}
	return strip(a) == strip(b)
}

func nameOf(o map[string]any) any {
	name, _ := e2e.At(o, "/metadata/name")
	return name
}
