package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// differences returns JSON pointers to what differs between two documents, as deep as both still have it.
func differences(live, predicted []byte) ([]string, error) {
	var a, b any
	if err := json.Unmarshal(live, &a); err != nil {
		return nil, fmt.Errorf("read what is live: %w", err)
	}
	if err := json.Unmarshal(predicted, &b); err != nil {
		return nil, fmt.Errorf("read what is predicted: %w", err)
	}
	return differ("", a, b), nil
}

func differ(path string, a, b any) []string {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return differMaps(path, a, b)
		}
	case []any:
		// Lists of one length have their elements beside each other; in others nobody can say which element is which.
		if b, ok := b.([]any); ok && len(a) == len(b) {
			var paths []string
			for i := range a {
				paths = append(paths, differ(fmt.Sprintf("%s/%d", path, i), a[i], b[i])...)
			}
			return paths
		}
	}
	return []string{path}
}

func differMaps(path string, a, b map[string]any) []string {
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	var paths []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		below := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		inA, okA := a[key]
		inB, okB := b[key]
		if okA != okB {
			paths = append(paths, below)
			continue
		}
		paths = append(paths, differ(below, inA, inB)...)
	}
	return paths
}
