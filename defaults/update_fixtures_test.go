package defaults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/internal/txtest"
)

// updates is the folder of the fixtures that tell what happens to one workload over time. The section "steps" has one step a line;
// vN is the release of the Profile (versionProfiles) that is in force then:
//
//	apply vN FILE          kubectl apply of a section; the first one creates
//	create vN FILE         kubectl create: nobody says later what the author wrote
//	put vN FILE            a PUT of a section by a client that keeps no such evidence
//	replace vN FILE        kubectl replace of an object that is under kubectl apply
//	edit vN PATH VALUE     a change of one field; - as the value removes it; a path that begins with template/ starts at the template
//	undo vN STEP           the template as it was after a step, counted from 1
//	again vN               another call of the request before: reinvocation
//	away FILE              kubectl apply while Gesso is away
//	damage OLD NEW         a part of the record is replaced while Gesso is away
//	webhook PATH VALUE     what another webhook does to the request before
//
// The section "want" says of each step what came of it: which template, and how it differs from the one before.
const updates = "update"

// history is one workload over time.
type history struct {
	*world
	c       *txtest.Case
	live    []byte
	before  []byte // what was live before the last request
	applied map[string]any
	states  [][]byte // after each step
	want    bytes.Buffer
}

func runUpdates(t *testing.T, c *txtest.Case) {
	t.Helper()
	h := &history{world: &world{T: t, sets: versionSets(t)}, c: c}
	for line := range strings.Lines(string(c.File("steps"))) {
		if fields := strings.Fields(line); len(fields) > 0 {
			h.step(fields)
		}
	}
	c.Want("want", h.want.Bytes())
}

func (h *history) step(fields []string) {
	h.Helper()
	verb, args, version := fields[0], fields[1:], -1
	if len(args) > 0 && len(args[0]) == 2 && args[0][0] == 'v' {
		version, args = int(args[0][1]-'1'), args[1:]
	}
	old := h.live
	next := h.next(verb, args)
	if h.path == nil {
		h.path = parse(h, next).Template().Path
	}
	result, out := next, Outcome{}
	if version >= 0 {
		if verb == "again" {
			old = h.before
		}
		result, out = h.fill(version, next, old)
	}
	if verb != "again" && verb != "webhook" {
		h.before = old
	}
	h.report(fields, result, out)
	h.live = result
	h.states = append(h.states, result)
}

// next returns the object that comes with a step.
func (h *history) next(verb string, args []string) []byte {
	h.Helper()
	switch verb {
	case "create", "put":
		return h.stored(mustJSON(h.section(args[0])))
	case "apply", "away", "replace":
		manifest := h.section(args[0])
		was := h.applied
		h.applied = manifest
		if h.live == nil || verb == "replace" {
			return h.world.applied(manifest)
		}
		return h.patched(h.live, was, manifest)
	case "edit", "webhook":
		return h.edited(args[0], strings.Join(args[1:], " "))
	case "damage":
		at := append(slices.Clone(h.path), recordPath()...)
		text := parse(h, h.live).Root.Get(at...).Str()
		if !strings.Contains(text, args[0]) {
			h.Fatalf("%s is not in the record %s", args[0], text)
		}
		return h.with(h.live, strings.Replace(text, args[0], args[1], 1), at...)
	case "undo":
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 || n > len(h.states) {
			h.Fatalf("undo %s: want a step before", args[0])
		}
		return h.withTemplate(h.live, h.states[n-1])
	case "again":
		return h.live
	}
	h.Fatalf("no step is called %q", verb)
	return nil
}

func (h *history) section(name string) map[string]any {
	h.Helper()
	var m map[string]any
	if err := yaml.UnmarshalStrict(h.c.File(name), &m); err != nil {
		h.Fatalf("%s: %v", name, err)
	}
	return m
}

func (h *history) edited(path, value string) []byte {
	h.Helper()
	var tokens []string
	for token := range strings.SplitSeq(path, "/") {
		tokens = append(tokens, strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"))
	}
	if tokens[0] == "template" {
		tokens = append(slices.Clone(h.path), tokens[1:]...)
	}
	o := parse(h, h.live)
	if value == "-" {
		if !o.Root.Remove(tokens...) {
			h.Fatalf("%s: nothing is there", path)
		}
		return o.Root.Bytes()
	}
	if last := len(tokens) - 1; tokens[last] == "-" {
		list := []*object.Node{}
		for _, e := range o.Root.Get(tokens[:last]...).Elements() {
			list = append(list, e)
		}
		o.Root.Put(object.List(append(list, object.MustParse([]byte(value)))), tokens[:last]...)
	} else if !o.Root.Put(object.MustParse([]byte(value)), tokens...) {
		h.Fatalf("%s: cannot be set", path)
	}
	return h.stored(o.Root.Bytes())
}

// report writes what came of a step.
func (h *history) report(fields []string, result []byte, out Outcome) {
	h.Helper()
	verdict := "filled"
	for _, s := range out.Skipped {
		if s.Reason == KeptUntilNextDeploy || s.Reason == Restored || s.Reason == RecordTooLarge {
			verdict = s.Reason
		}
	}
	if len(fields) > 1 && fields[1][0] != 'v' || len(fields) == 1 {
		verdict = "not seen"
	}
	same := "a new template"
	for i, state := range slices.Backward(h.states) {
		if h.template(state).Equal(h.template(result)) {
			same = fmt.Sprintf("the template of step %d", i+1)
		}
	}
	fmt.Fprintf(&h.want, "%d %s: %s; %s\n", len(h.states)+1, strings.Join(fields, " "), verdict, same)
	for _, w := range out.Warnings {
		fmt.Fprintln(&h.want, "  warning:", w)
	}
	if strings.HasPrefix(same, "a new") {
		h.difference(result)
	}
}

// difference writes how a template differs from the one before, the record left out.
func (h *history) difference(result []byte) {
	h.Helper()
	plain := func(raw []byte) *object.Node {
		if raw == nil {
			return object.MustParse([]byte("{}"))
		}
		return object.MustParse(record.Bare(h.template(raw)))
	}
	for _, op := range object.Diff(plain(h.live), plain(result)) {
		line, err := json.Marshal(op)
		if err != nil {
			h.Fatal(err)
		}
		fmt.Fprintf(&h.want, "  %s\n", line)
	}
}
