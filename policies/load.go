package policies

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Load reads, checks and compiles every policy of the sources under the settings, which are keyed by policy id.
//
// It never fails as a whole: what cannot be loaded is listed as problems, in a stable order, and everything else serves. Two folders
// with one id are a problem that names both, and neither is loaded.
func Load(ctx context.Context, sources []Source, settings map[string]Setting) (*Set, []Problem) {
	var (
		found    []folder
		problems []Problem
	)
	for _, source := range sources {
		folders, more := source.folders()
		found = append(found, folders...)
		problems = append(problems, more...)
	}
	known := map[string]bool{}
	for _, problem := range problems {
		known[problem.Policy] = problem.Policy != "" // a policy that cannot be read does exist
	}
	set := newSet(revision(found, settings))
	compiler, err := newCompiler(ctx)
	if err != nil {
		return set, append(problems, Problem{Reason: oneLine(err.Error())})
	}
	byID := map[string][]folder{}
	for _, f := range found {
		known[f.id] = true
		byID[f.id] = append(byID[f.id], f)
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		if dirs := byID[id]; len(dirs) > 1 {
			problems = append(problems, twice(id, dirs))
			continue
		}
		setting := settings[id]
		if wrong := setting.problems(id); len(wrong) > 0 {
			problems = append(problems, wrong...)
			continue
		}
		policy, more := compiler.compile(ctx, byID[id][0], setting)
		problems = append(problems, more...)
		if policy != nil {
			set.add(policy)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(settings)) {
		if !known[id] {
			problems = append(problems, Problem{Policy: id, Reason: "there is no policy of this name"})
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Policy, b.Policy), strings.Compare(a.Reason, b.Reason),
		)
	})
	return set, slices.Compact(problems)
}

func twice(id string, folders []folder) Problem {
	var dirs []string
	for _, f := range folders {
		dirs = append(dirs, f.dir)
	}
	return Problem{
		Policy: id, File: dirs[len(dirs)-1],
		Reason: fmt.Sprintf("the policy %s exists more than once: %s; none of them is in force", id, strings.Join(dirs, " and ")),
	}
}

// revision hashes everything that decides a verdict: the Rego, the shared helpers, the capabilities and the settings. Where the files
// lie is no part of it, so that two replicas with the same policies have the same revision.
func revision(folders []folder, settings map[string]Setting) string {
	var parts []string
	add := func(kind, name string, text []byte) {
		parts = append(parts, fmt.Sprintf("%s %s %x", kind, name, sha256.Sum256(text)))
	}
	for _, f := range folders {
		for _, file := range f.files {
			add("policy", strings.TrimPrefix(file.name, f.dir[:len(f.dir)-len(f.id)]), file.text)
		}
	}
	for _, file := range libFiles() {
		add("lib", file.name, file.text)
	}
	add("capabilities", "", capabilitiesJSON)
	for id, setting := range settings {
		parameters := []byte(setting.Parameters)
		if object, err := decodeObject(parameters); err == nil { // spelled the same way however it was written
			if text, err := marshal(object); err == nil {
				parameters = text
			}
		}
		add("setting", id, slices.Concat([]byte(setting.Action), []byte{0}, parameters))
		if len(setting.Namespaces) > 0 {
			add("namespaces", id, fmt.Appendf(nil, "%q", setting.Namespaces)) // maps are printed in the order of their keys
		}
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:6])
}

// marshal writes JSON with sorted keys and leaves <, > and & as they are.
func marshal(value any) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(text.Bytes()), nil
}
