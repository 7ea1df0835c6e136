package policies

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/gesso-dev/gesso/policies/demand"
)

// TestProjected: each policy of the library decides the same on what it reads of a request as on all of it, over every sample of the
// library as it is and spoilt in many ways; and so do all policies of a kind together. GESSO_PAIRS asks for more than a usual run: a million
// and more by night.
func TestProjected(t *testing.T) {
	set := load(t, nil, Library())
	var reviews []Review
	for _, p := range set.policies {
		samples, problems := Source{Name: "library", FS: os.DirFS("library")}.samples(p.ID)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for i := range samples {
			r, err := samples[i].review(set, sampleNames)
			if err != nil {
				t.Fatal(err)
			}
			reviews = append(reviews, r)
		}
	}
	if len(reviews) < 200 {
		t.Fatalf("only %d samples", len(reviews))
	}
	turns := 3
	if raceEnabled {
		turns = 1
	}
	if text := os.Getenv("GESSO_PAIRS"); text != "" {
		all, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		turns = max(turns, all/len(reviews)/4) // a sample meets about four policies
	}
	judged := twoWays{set: set, alone: map[string]*plan{}}
	for i, r := range reviews {
		g := spoiler{rand.New(rand.NewPCG(uint64(i), 5))}
		judged.judge(t, r)
		for range turns - 1 {
			judged.judge(t, g.review(t, r))
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d pairs, %d decisions that are not empty", judged.pairs, judged.found)
	if judged.found < judged.pairs/10 {
		t.Error("hardly any decision says anything")
	}
}

// twoWays judges reviews on the whole request and on what is read of it.
type twoWays struct {
	set          *Set
	alone        map[string]*plan // for one policy and one kind
	pairs, found int
}

func (p *twoWays) judge(t *testing.T, r Review) {
	t.Helper()
	if together := p.set.plan(r); together != nil {
		p.compare(t, together, r)
	}
	for _, policy := range p.set.matching(r) {
		key := policy.ID + " " + r.Group + "/" + r.Kind
		if p.alone[key] == nil {
			p.alone[key] = newPlan(r.Group, r.Kind, []*compiled{policy})
			p.alone[key].analyse()
		}
		p.compare(t, p.alone[key], r)
	}
}

func (p *twoWays) compare(t *testing.T, plan *plan, r Review) {
	t.Helper()
	need := plan.need.Load()
	if need == nil || need.request == nil {
		t.Fatalf("%s %s: nothing is left out of a request", r.Kind, plan.policies[0].ID)
	}
	whole := p.set.evaluate(t.Context(), plan, r, nil)
	projected := p.set.evaluate(t.Context(), plan, r, need)
	p.pairs++
	if ids := projected.differs(whole); len(ids) > 0 {
		t.Errorf("%q decide otherwise on what they read of\n%s\nwhole     %+v\nprojected %+v", ids, r.Request, whole.decision(), projected.decision())
	}
	if d := whole.decision(); len(d.Violations)+len(d.Undecided) > 0 {
		p.found++
	}
}

// spoiler changes requests at a few places.
type spoiler struct{ *rand.Rand }

func (s spoiler) review(t *testing.T, r Review) Review {
	t.Helper()
	var request map[string]any
	if err := json.Unmarshal(r.Request, &request); err != nil {
		t.Fatal(err)
	}
	if s.IntN(3) == 0 {
		request["oldObject"] = s.spoil(request["object"], 8)
		r.Operation = "UPDATE"
		request["operation"] = r.Operation
	}
	request["object"] = s.spoil(request["object"], 20)
	var err error
	if r.Request, err = json.Marshal(request); err != nil {
		t.Fatal(err)
	}
	return r
}

// spoil returns a copy in which about one value of so many is another.
func (s spoiler) spoil(v any, rarely int) any {
	if s.IntN(rarely) == 0 {
		return s.other()
	}
	switch v := v.(type) {
	case map[string]any:
		changed := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if s.IntN(rarely) > 0 {
				changed[name] = s.spoil(v[name], rarely)
			}
		}
		return changed
	case []any:
		var changed []any
		for _, item := range v {
			changed = append(changed, s.spoil(item, rarely))
			if s.IntN(rarely) == 0 {
				changed = append(changed, s.spoil(item, 2))
			}
		}
		if s.IntN(rarely) == 0 {
			s.Shuffle(len(changed), func(i, j int) { changed[i], changed[j] = changed[j], changed[i] })
		}
		return changed
	}
	return v
}

func (s spoiler) other() any {
	return []any{
		nil, false, true, 0, 1.5, "", "x", "latest",
		[]any{},
		map[string]any{},
		[]any{nil},
		[]any{"x", "x"},
		map[string]any{"name": "x"},
		map[string]any{"x": []any{1, map[string]any{}}},
		[]any{map[string]any{"name": "x", "value": 1}, map[string]any{"name": "x", "value": 2}},
	}[s.IntN(15)]
}

// TestProjectedTells: the test above tells a policy that reads more than it says.
func TestProjectedTells(t *testing.T) {
	set := load(t, nil, Library())
	r := pod(`{"object":{"spec":{"containers":[{"name":"a","image":"shop:latest"}]}},"operation":"CREATE","kind":{"kind":"Pod"}}`)
	policy := set.policy("image-tag")
	nothing := &demand.Node{}
	nothing.Kid("request", "operation")
	plan := newPlan("", "Pod", []*compiled{policy})
	whole, projected := set.evaluate(t.Context(), plan, r, nil), set.evaluate(t.Context(), plan, r, newNeed("", "Pod", nothing))
	if ids := projected.differs(whole); !slices.Equal(ids, []string{"image-tag"}) {
		t.Errorf("%q", ids)
	}
}
