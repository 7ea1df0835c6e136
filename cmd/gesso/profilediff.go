package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// builtin is the word for the Profile that is used when none is written.
const builtin = "builtin"

// change is one value that differs between two Profiles. Old is absent where it was added, New where it was removed.
type change struct {
	Field  string `json:"field"`
	Change string `json:"change"` // changed, added or removed
	Old    any    `json:"old,omitempty"`
	New    any    `json:"new,omitempty"`
}

// note says what changes in a part of the Profile mean for what runs.
type note struct {
	Subject string `json:"subject"`
	Note    string `json:"note"`
}

// diffProfiles prints what differs between two Profiles as they are in force: what neither writes and what both mean is no difference.
func (f *profileFlags) diffProfiles(cmd *cobra.Command, old, new string) error {
	before, after, err := f.loadBoth(cmd, old, new)
	if err != nil {
		return err
	}
	d, err := differences(before, after)
	if err != nil {
		return err
	}
	if f.output == "json" {
		err = d.json(cmd.OutOrStdout())
	} else {
		err = d.text(cmd.OutOrStdout())
	}
	if err == nil && len(d.Changes) > 0 {
		return exitCode(exitDiffers)
	}
	return err
}

// loadBoth reads two Profiles with the policies' settings that follow from each. The error says what is wrong with either.
func (f *profileFlags) loadBoth(cmd *cobra.Command, old, new string) (before, after *v1alpha1.Profile, err error) {
	var both [2]*v1alpha1.Profile
	compiled := compiledBefore(cmd.Context())
	var wrong []string
	for i, name := range []string{old, new} {
		flags := f.engineFlags
		flags.profile = name
		if name == builtin {
			flags.profile = ""
		}
		l, err := flags.engine(withCompiled(cmd.Context(), compiled...), "")
		if err != nil {
			for _, line := range mistakesIn(err) {
				if !slices.Contains(wrong, line) { // a mistake in a policy is one with either Profile
					wrong = append(wrong, line)
				}
			}
			continue
		}
		both[i] = l.InForce()
		compiled = append(slices.Clone(compiled), l.set) // the same policies, with other settings
	}
	return both[0], both[1], allWrong(wrong)
}

// profileDiff is all that differs, and what that means.
type profileDiff struct {
	Changes []change `json:"changes"`
	Notes   []note   `json:"notes"`
}

func differences(before, after *v1alpha1.Profile) (*profileDiff, error) {
	var trees [2]any
	for i, p := range []*v1alpha1.Profile{before, after} {
		raw, err := json.Marshal(p.Spec)
		if err != nil {
			return nil, fmt.Errorf("encode profile: %w", err)
		}
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		if err := d.Decode(&trees[i]); err != nil {
			return nil, fmt.Errorf("decode profile: %w", err)
		}
	}
	d := &profileDiff{Changes: []change{}, Notes: []note{}}
	d.compare("spec", trees[0], trees[1])
	d.explain(&before.Spec, &after.Spec)
	return d, nil
}

// absent is what a field holds that is not there.
type absent struct{}

// compare adds the differences between two values at a field, in the order of their names.
func (d *profileDiff) compare(at string, old, new any) {
	_, wasAbsent := old.(absent)
	_, isAbsent := new.(absent)
	oldMembers, newMembers := membersOf(old), membersOf(new)
	oldList, newList := elementsOf(old), elementsOf(new)
	switch {
	case wasAbsent == isAbsent && encoded(old) == encoded(new):
	case oldMembers != nil && newMembers != nil && len(oldMembers)+len(newMembers) > 0:
		names := maps.Clone(oldMembers)
		maps.Copy(names, newMembers)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			d.compare(memberOf(at, name), valueOr(oldMembers, name), valueOr(newMembers, name))
		}
	case oldList != nil && newList != nil && len(oldList)+len(newList) > 0:
		d.compareLists(at, oldList, newList)
	case wasAbsent:
		d.added(at, new)
	case isAbsent:
		d.removed(at, old)
	default:
		d.Changes = append(d.Changes, change{Field: at, Change: "changed", Old: old, New: new})
	}
}

// membersOf returns the members of an object, none of what is absent, and nil of anything else.
func membersOf(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case absent:
		return map[string]any{}
	}
	return nil
}

// elementsOf returns the elements of a list, none of what is absent, and nil of anything else.
func elementsOf(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case absent:
		return []any{}
	}
	return nil
}

func (d *profileDiff) added(at string, v any) {
	d.Changes = append(d.Changes, change{Field: at, Change: "added", New: v})
}

func (d *profileDiff) removed(at string, v any) {
	d.Changes = append(d.Changes, change{Field: at, Change: "removed", Old: v})
}

func (d *profileDiff) compareLists(at string, old, new []any) {
	switch oldNames, newNames := namesOf(old), namesOf(new); {
	case slices.Contains([]string{"spec.excludedNamespaces", "spec.platformGroups", "spec.breakGlassGroups"}, at):
		d.compareSets(at, old, new)
	case oldNames != nil && newNames != nil:
		for i, name := range oldNames {
			if j := slices.Index(newNames, name); j >= 0 {
				d.compare(at+"["+name+"]", old[i], new[j])
			} else {
				d.removed(at+"["+name+"]", old[i])
			}
		}
		for j, name := range newNames {
			if !slices.Contains(oldNames, name) {
				d.added(at+"["+name+"]", new[j])
			}
		}
		common := func(names, others []string) []any {
			var all []any
			for _, name := range names {
				if slices.Contains(others, name) {
					all = append(all, name)
				}
			}
			return all
		}
		if was, is := common(oldNames, newNames), common(newNames, oldNames); encoded(was) != encoded(is) {
			d.Changes = append(d.Changes, change{Field: at, Change: "changed", Old: was, New: is})
		}
	default:
		d.compareSequences(at, old, new)
	}
}

// compareSets compares lists whose order says nothing.
func (d *profileDiff) compareSets(at string, old, new []any) {
	has := func(list []any, v any) bool {
		return slices.ContainsFunc(list, func(e any) bool { return encoded(e) == encoded(v) })
	}
	for _, v := range old {
		if !has(new, v) {
			d.removed(at, v)
		}
	}
	for _, v := range new {
		if !has(old, v) {
			d.added(at, v)
		}
	}
}

// compareSequences compares lists whose elements have no names. What both have in the same order stays out of it; what stands between
// is compared element by element.
func (d *profileDiff) compareSequences(at string, old, new []any) {
	i, j := 0, 0
	for _, pair := range append(common(old, new), [2]int{len(old), len(new)}) {
		for i < pair[0] || j < pair[1] {
			switch {
			case i == pair[0]:
				d.added(at+"["+strconv.Itoa(j)+"]", new[j])
				j++
			case j == pair[1]:
				d.removed(at+"["+strconv.Itoa(i)+"]", old[i])
				i++
			default:
				d.compare(at+"["+strconv.Itoa(j)+"]", old[i], new[j])
				i, j = i+1, j+1
			}
		}
		i, j = pair[0]+1, pair[1]+1
	}
}

// common returns the positions of a longest common subsequence of two short lists.
func common(old, new []any) [][2]int {
	length := make([][]int, len(old)+1)
	length[len(old)] = make([]int, len(new)+1)
	for i := len(old) - 1; i >= 0; i-- {
		length[i] = make([]int, len(new)+1)
		for j := len(new) - 1; j >= 0; j-- {
			length[i][j] = max(length[i+1][j], length[i][j+1])
			if encoded(old[i]) == encoded(new[j]) {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(old) && j < len(new); {
		switch {
		case encoded(old[i]) == encoded(new[j]):
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// namesOf returns the names of a list's elements, nil where they do not tell them apart.
func namesOf(list []any) []string {
	names := []string{}
	for _, e := range list {
		members, _ := e.(map[string]any)
		name, _ := members["name"].(string)
		if name == "" || slices.Contains(names, name) {
			return nil
		}
		names = append(names, name)
	}
	return names
}

func valueOr(members map[string]any, name string) any {
	if v, has := members[name]; has {
		return v
	}
	return absent{}
}

// memberOf names a field the way the errors of a Profile do.
func memberOf(at, name string) string {
	if at == "spec.policies" || strings.ContainsAny(name, "./") {
		return at + "[" + name + "]"
	}
	return at + "." + name
}

func encoded(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // it was decoded from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (d *profileDiff) json(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func (d *profileDiff) text(out io.Writer) error {
	var b strings.Builder
	for _, c := range d.Changes {
		switch c.Change {
		case "added":
			fmt.Fprintf(&b, "%s: added %s\n", c.Field, shown(c.New))
		case "removed":
			fmt.Fprintf(&b, "%s: removed %s\n", c.Field, shown(c.Old))
		default:
			fmt.Fprintf(&b, "%s: %s → %s\n", c.Field, shown(c.Old), shown(c.New))
		}
	}
	if len(d.Notes) > 0 {
		b.WriteByte('\n')
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "%s: %s\n", n.Subject, n.Note)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// shown is a value in a line: as it is where that is plain, else as JSON.
func shown(v any) string {
	if s, ok := v.(string); ok && s != "" && strings.TrimSpace(s) == s && !strings.ContainsAny(s, "\n\"→") && encoded(s) == `"`+s+`"` {
		return s
	}
	return encoded(v)
}
