package update

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const recordAnnotation = "gesso.dev/filled"

// row is a row of the table: what happens to one workload, step by step.
type row struct {
	name   string
	kinds  []kind            // nil for all
	labels map[string]string // of the Namespace
	steps  []step
	// loose says that somebody else changes what Gesso fills, or the record, so that not every entry of the record matches.
	loose bool
}

// step is a request, and what must come of it. A step that says nothing else is quiet: the template stays as it is, byte for byte,
// there is no new revision, the generation stays, and Gesso's reason is that the template is kept until the next deploy.
type step struct {
	on   string // the release that answers from here on; "" for the one before
	do   action
	says string // must be in what kubectl prints
	// gives says that the template changes, that there is a new revision, and whose defaults the template shows then; away for
	// nobody's. The first step makes the workload, and gives without being told to what its release fills.
	gives string
	but   facts // what is otherwise in it
	// rolls says that the template changes and that there is a new revision, and no more.
	rolls bool
	// back says that the template becomes the one of that step again, byte for byte, without a new revision.
	back string
	// as names the template for back.
	as string
	// revisions is how many new ones there are, where it is not what gives and back mean.
	revisions *int
	// generation says what becomes of the generation, where it is not what gives and back mean.
	generation generation
	// reason is the one that Gesso gives for every default, where it is not what the other fields mean.
	reason string
	// uncalled says that Gesso is not asked at all, perhaps that it depends on the kind.
	uncalled, perhaps bool
	// warns must be in what kubectl prints or be a warning of the answer.
	warns string
	// check looks further at the template.
	check func(template any) error
}

// generation is what a step does to metadata.generation.
type generation int

const (
	asMeant        generation = iota // one more when the template changes
	moves                            // one more although the template stays
	deploymentOnly                   // one more for a Deployment, for which a change of annotations counts
	anyhow                           // whatever: a client that takes annotations away, or several requests
)

// Reasons of Gesso for all defaults of a request at once.
const (
	kept     = "kept-until-next-deploy"
	restored = "restored"
	tooLarge = "record-too-large"
	deployed = "a deploy" // not the word of Gesso: none of the others
	whatever = "whatever" // this row does not say
)

// state is a workload as it stands.
type state struct {
	object     *unstructured.Unstructured
	template   any
	text       string // the template, canonical
	generation int64
	revisions  int
}

// running is a row at work on one kind.
type running struct {
	*testing.T
	kind
	row       row
	namespace string
	now       *state
	saved     map[string]*state
	line      []string // what to print
}

// expectation is what a step wants of the calls that it caused. It is held against gesso review when all rows have run.
type expectation struct {
	where  string
	reason string
}

// TestUpdates runs the table, and then once more offline.
func TestUpdates(t *testing.T) {
	var asked reviews
	t.Run("rows", func(t *testing.T) {
		for _, r := range rows() {
			all := r.kinds
			if all == nil {
				all = kinds()
			}
			for _, k := range all {
				t.Run(r.name+"/"+k.name, func(t *testing.T) {
					t.Parallel()
					r.run(t, k, &asked)
				})
			}
		}
	})
	t.Run("offline", asked.hold)
}

func (r row) run(t *testing.T, k kind, asked *reviews) {
	w := &running{T: t, kind: k, row: r, saved: map[string]*state{}}
	w.namespace = namespaceFor(r, k)
	labels := map[string]string{}
	maps.Copy(labels, r.labels)
	if err := makeNamespace(t.Context(), w.namespace, labels); err != nil {
		t.Fatal(err)
	}
	defer func() { t.Logf("%-11s %s", k.name, strings.Join(w.line, "; ")) }()
	for i, s := range r.steps {
		if s.on != "" {
			shared.recorder.use(w.namespace, s.on)
		}
		if s.do.name == "undo" && !k.hasRevisions() {
			continue
		}
		where := fmt.Sprintf("%s, %s, step %d (%s)", r.name, k.name, i+1, s.do.name)
		before := len(shared.recorder.calls(w.namespace))
		printed, err := s.do.run(w)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		calls := shared.recorder.calls(w.namespace)[before:]
		if asked != nil {
			asked.add(w, expectation{where, s.wantReason(w.now == nil)}, calls)
		}
		w.check(where, s, printed, calls)
	}
}

// namespaceFor names the namespace of a row and a kind.
func namespaceFor(r row, k kind) string {
	name := strings.ToLower(r.name + "-" + k.name)
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, name)
	if name = strings.TrimLeft(name, "-"); len(name) > 63 {
		name = name[:54] + "-" + leafHash(name)
	}
	return name
}

// wantReason is the reason that Gesso must give for a step.
func (s step) wantReason(first bool) string {
	switch {
	case s.reason != "":
		return s.reason
	case first || s.gives != "" || s.rolls:
		return deployed
	case s.back != "":
		return restored
	}
	return kept
}

func (w *running) check(where string, s step, printed string, calls []call) {
	w.Helper()
	before := w.now
	w.now = w.look(where)
	if s.says != "" && !strings.Contains(printed, s.says) {
		w.Errorf("%s: kubectl printed %q, want %q", where, printed, s.says)
	}
	if s.warns != "" && !strings.Contains(printed, s.warns) && !slices.ContainsFunc(calls, func(c call) bool {
		return strings.Contains(strings.Join(c.answer.Warnings, "\n"), s.warns)
	}) {
		w.Errorf("%s: no warning %q", where, s.warns)
	}
	if (len(calls) == 0) != s.uncalled && !s.perhaps && shared.recorder.answers(w.namespace) {
		w.Errorf("%s: Gesso was asked %d times, want it asked: %v", where, len(calls), !s.uncalled)
	}
	if s.as != "" {
		w.saved[s.as] = w.now
	}
	w.line = append(w.line, w.summary(s, before))
	w.checkTemplate(where, s, before)
	if before != nil {
		w.checkNumbers(where, s, before)
	}
	if s.check != nil {
		if err := s.check(w.now.template); err != nil {
			w.Errorf("%s: %v\n%s", where, err, w.now.text)
		}
	}
}

// summary is the step in a few characters, for the line that the row prints.
func (w *running) summary(s step, before *state) string {
	if before == nil {
		return fmt.Sprintf("%s: rev %d", s.do.name, w.now.revisions)
	}
	rolled := 0
	if w.now.text != before.text {
		rolled = 1
	}
	return fmt.Sprintf("%s: tpl %d, rev %d→%d, gen +%d", s.do.name, rolled, before.revisions, w.now.revisions, w.now.generation-before.generation)
}

func (w *running) checkTemplate(where string, s step, before *state) {
	w.Helper()
	first := before == nil
	switch {
	case s.back != "":
		if diff := cmp.Diff(w.saved[s.back].template, w.now.template); diff != "" {
			w.Errorf("%s: the template is not the one of %q (-want +got):\n%s", where, s.back, diff)
		} else if before.text == w.now.text {
			w.Errorf("%s: the template was the one of %q already", where, s.back)
		}
	case s.rolls:
		if before.text == w.now.text {
			w.Errorf("%s: the template is as it was, want another one", where)
		}
		if err := sound(w.now.template, true); err != nil {
			w.Errorf("%s: %v\n%s", where, err, w.now.text)
		}
	case s.gives != "" || first:
		if !first && before.text == w.now.text {
			w.Errorf("%s: the template is as it was, want another one", where)
		}
		shows := s.gives
		if shows == "" {
			shows = s.on
		}
		want := bare()
		if shows != away {
			want = releaseNamed(shows).facts()
		}
		maps.Copy(want, s.but)
		if diff := cmp.Diff(want, factsOf(w.now.template)); diff != "" {
			w.Errorf("%s: what the template shows (-want +got):\n%s", where, diff)
		}
		if err := sound(w.now.template, w.row.loose || s.on == away); err != nil {
			w.Errorf("%s: %v\n%s", where, err, w.now.text)
		}
	default:
		if diff := cmp.Diff(before.template, w.now.template); diff != "" {
			w.Errorf("%s: the template changed (-before +after):\n%s", where, diff)
		}
	}
}

func (w *running) checkNumbers(where string, s step, before *state) {
	w.Helper()
	changes := s.gives != "" || s.rolls || s.back != ""
	wantRevisions := 0
	if changes && s.back == "" && w.hasRevisions() {
		wantRevisions = 1
	}
	if s.revisions != nil && w.hasRevisions() {
		wantRevisions = *s.revisions
	}
	if got := w.now.revisions - before.revisions; got != wantRevisions {
		w.Errorf("%s: %d new revisions (%d→%d), want %d", where, got, before.revisions, w.now.revisions, wantRevisions)
	}
	want := int64(0)
	switch {
	case s.generation == anyhow:
		return
	case changes || s.generation == moves || s.generation == deploymentOnly && w.name == "Deployment":
		want = 1
	}
	if got := w.now.generation - before.generation; got != want {
		w.Errorf("%s: the generation moved by %d (%d→%d), want %d", where, got, before.generation, w.now.generation, want)
	}
}

// look reads the workload, once its controller has seen it.
func (w *running) look(where string) *state {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	for {
		o, err := shared.client.Resource(w.resource).Namespace(w.namespace).Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			w.Fatalf("%s: %v", where, err)
		}
		observed, _, err := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
		if err != nil {
			w.Fatalf("%s: %v", where, err)
		}
		if w.hasRevisions() && observed < o.GetGeneration() {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				w.Fatalf("%s: the controller has seen generation %d of %d", where, observed, o.GetGeneration())
			}
			continue
		}
		s := &state{object: o, template: find(o.Object, w.template...), generation: o.GetGeneration()}
		s.text = canonical(s.template)
		if w.hasRevisions() {
			list, err := shared.client.Resource(w.revisions).Namespace(w.namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				w.Fatalf("%s: %v", where, err)
			}
			s.revisions = len(list.Items)
		}
		return s
	}
}
