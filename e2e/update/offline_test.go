package update

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/e2e"
)

// reviews are all reviews that the API server asked for while the rows ran, with what they must have come to.
type reviews struct {
	mu  sync.Mutex
	all []review
}

type review struct {
	call
	expectation

	labels map[string]string // of the Namespace
}

func (r *reviews) add(w *running, want expectation, calls []call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range calls {
		r.all = append(r.all, review{c, want, w.row.labels})
	}
}

// hold asks gesso review --old what it says to each of them, and wants the answer that the API server got: patch, warnings, what
// was filled and what would have been. That answer does not carry why a default did nothing, which is therefore judged here, as
// gesso review says it.
//
// Three things are not the object's and must be given: who asks (--as), the facts of the Namespace (--namespaces), and the release
// (--profile). Each object is given a name of its own here, because an update is told from another by the name, and one process is
// to review all updates of a release; nothing that Gesso fills depends on the name, since the app is named by a label. All other bytes
// stay: the order of a patch is that of the object's members.
func (r *reviews) hold(t *testing.T) {
	type asked struct{ release, user string }
	groups := map[asked][]review{}
	for _, one := range r.all {
		a := asked{one.release, one.question.UserInfo.Username}
		groups[a] = append(groups[a], one)
	}
	if len(r.all) == 0 {
		t.Fatal("nothing was recorded")
	}
	counts := map[string]map[string]int{} // by release and reason
	for a, all := range groups {
		t.Run(a.release+"/"+a.user, func(t *testing.T) {
			for _, result := range holdGroup(t, a.release, all) {
				if counts[a.release] == nil {
					counts[a.release] = map[string]int{}
				}
				countReasons(&result, counts[a.release])
			}
		})
	}
	for release, want := range counts {
		if diff := cmp.Diff(want, reasonsOf(t, shared.servers[release])); diff != "" {
			t.Errorf("gesso_defaults_total of %s (-gesso review +metrics):\n%s", release, diff)
		}
	}
}

// countReasons adds up why no default acted at all.
func countReasons(result *admission.Result, counts map[string]int) {
	for _, s := range result.Skipped {
		if slices.Contains(wholeReasons, s.Reason) {
			counts[s.Reason]++
		}
	}
}

// reasonsOf reads the same from the metrics of a server.
func reasonsOf(t *testing.T, server *e2e.Gesso) map[string]int {
	t.Helper()
	text, err := server.Get(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(text)) {
		for _, reason := range wholeReasons {
			if strings.HasPrefix(line, "gesso_defaults_total{") && strings.Contains(line, fmt.Sprintf("reason=%q", reason)) {
				var n int
				if _, err := fmt.Sscan(line[strings.LastIndex(line, " "):], &n); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				counts[reason] += n
			}
		}
	}
	return counts
}

func holdGroup(t *testing.T, release string, all []review) []admission.Result {
	t.Helper()
	results := offline(t, release, all)
	updates := 0
	for i, one := range all {
		want, got := answerOf(t, one.call), answerIn(&results[i])
		got.Filled, got.Preview = cutLike(want.Filled, got.Filled), cutLike(want.Preview, got.Preview)
		if string(results[i].Operation) != one.question.Operation {
			t.Fatalf("%s: reviewed as %s, want %s", one.where, results[i].Operation, one.question.Operation)
		}
		if one.question.Operation == "UPDATE" {
			updates++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the webhook of %s and gesso review differ (-webhook +review):\n%s", one.where, release, diff)
		}
		if err := one.reasoned(&results[i]); err != nil {
			t.Errorf("%s: %v", one.where, err)
		}
	}
	t.Logf("%s: %d reviews, %d of them updates", release, len(all), updates)
	return results
}

// offline runs gesso review over the objects of all reviews, with the old ones as they were.
func offline(t *testing.T, release string, all []review) []admission.Result {
	t.Helper()
	var news, olds, facts [][]byte
	user := all[0].question.UserInfo
	known := map[string]bool{}
	for i, one := range all {
		q := one.question
		name := fmt.Sprintf("web-%d", i)
		news = append(news, renamed(t, q.Object.Raw, name))
		if q.Operation == "UPDATE" {
			olds = append(olds, renamed(t, q.OldObject.Raw, name))
		}
		if !known[q.Namespace] {
			known[q.Namespace] = true
			facts = append(facts, []byte(canonical(map[string]any{
				"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": q.Namespace, "labels": one.labels},
			})))
		}
	}
	dir := t.TempDir()
	args := []string{"review", "-o", "json", "--profile", profileFile(release), "--as", user.Username}
	for _, group := range user.Groups {
		args = append(args, "--as-group", group)
	}
	for flag, objects := range map[string][][]byte{"-f": news, "--old": olds, "--namespaces": facts} {
		file := filepath.Join(dir, strings.Trim(flag, "-")+".json")
		if err := os.WriteFile(file, bytes.Join(objects, []byte("\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if len(objects) > 0 {
			args = append(args, flag, file)
		}
	}
	cmd := exec.CommandContext(t.Context(), shared.binary, args...)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("gesso review: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var answer struct{ Results []admission.Result }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Results) != len(all) {
		t.Fatalf("%d results for %d objects", len(answer.Results), len(all))
	}
	return answer.Results
}

// renamed is an object under another name.
func renamed(t *testing.T, raw []byte, name string) []byte {
	t.Helper()
	const old = `"metadata":{"name":"web",` // as the API server writes it
	if bytes.Count(raw, []byte(old)) != 1 {
		t.Fatalf("want %s once in %s", old, raw)
	}
	return bytes.Replace(raw, []byte(old), fmt.Appendf(nil, `"metadata":{"name":%q,`, name), 1)
}

// answer is what both ways in say.
type answer struct {
	Allowed  bool
	Patch    []any
	Warnings []string
	Filled   string
	Preview  string
}

// answerOf is the answer that the API server got.
func answerOf(t *testing.T, c call) answer {
	t.Helper()
	a := answer{
		Allowed: c.answer.Allowed, Warnings: c.answer.Warnings,
		Filled: c.answer.AuditAnnotations["filled"], Preview: c.answer.AuditAnnotations["preview"],
	}
	if len(c.answer.Patch) > 0 {
		if err := json.Unmarshal(c.answer.Patch, &a.Patch); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// answerIn is the answer of a review.
func answerIn(r *admission.Result) answer {
	a := answer{Allowed: r.Allowed, Filled: listed(r.Defaults), Preview: listed(r.Preview)}
	if len(r.Warnings) > 0 {
		a.Warnings = r.Warnings
	}
	for _, op := range r.Patch {
		var tree any
		if err := json.Unmarshal([]byte(canonical(op)), &tree); err != nil {
			panic(err)
		}
		a.Patch = append(a.Patch, tree)
	}
	return a
}

// listed names defaults and the fields that they filled, as an audit annotation does.
func listed(all []admission.Filled) string {
	var items []string
	for _, d := range all {
		items = append(items, d.ID+"="+strings.Join(d.Paths, ","))
	}
	return strings.Join(items, "; ")
}

// wholeReasons are those that all defaults of an object give together.
var wholeReasons = []string{kept, restored, tooLarge}

// cutLike cuts a list where an audit annotation that had no room was cut.
func cutLike(annotation, list string) string {
	head, _, found := strings.Cut(annotation, "…")
	if found && strings.HasPrefix(list, head) {
		return annotation
	}
	return list
}

// reasoned reports whether the review gives the reason that its row wants.
func (r *review) reasoned(result *admission.Result) error {
	got := map[string]int{}
	for _, s := range result.Skipped {
		got[s.Reason]++
	}
	switch r.reason {
	case whatever:
		return nil
	case deployed:
		for _, reason := range wholeReasons {
			if got[reason] > 0 {
				return fmt.Errorf("%s of %s: %d defaults say %s, want a deploy", result.Operation, r.release, got[reason], reason)
			}
		}
		return nil
	}
	if got[r.reason] == 0 || len(result.Defaults) > 0 {
		return fmt.Errorf("%s of %s: want %s, got reasons %v and %d defaults that filled", result.Operation, r.release, r.reason, got, len(result.Defaults))
	}
	return nil
}
