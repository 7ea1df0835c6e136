package policies

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// TestOptions says what Test runs.
type TestOptions struct {
	// Sources hold the policies with their Rego tests and their samples.
	Sources []Source
	// Policies limits the run to some ids; empty means all.
	Policies []string
	// Run limits it to tests whose policy/name it matches; nil means all.
	Run *regexp.Regexp
	// Beside judges samples by the policies of these sources too, and by all of Sources together, instead of each by the policy in whose
	// folder it lies alone. That takes longer and finds samples that trip over another policy.
	Beside []Source
	// Timeout is how long one Rego test, with all its cases, and one policy over one sample may take; 0 means 10 seconds.
	Timeout time.Duration
	// Names is what the convention derives for a sample; nil means a world of our own: see sampleNames.
	Names func(sample *Sample, namespace *Namespace) Names
}

// TestResult is one test: a rule of a Rego test, a case of one, or a sample.
type TestResult struct {
	// Policy is the id.
	Policy string `json:"policy"`
	// Kind is rego or sample.
	Kind string `json:"kind"`
	// Name is that of the rule, with the case behind a slash, or the path of the sample below the policy's folder.
	Name string `json:"name"`
	// File begins with the name of the source. Line is 0 for a sample.
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Passed bool   `json:"passed"`
	// Skipped is true for a rule whose name begins with todo_. It counts as passed.
	Skipped bool `json:"skipped,omitempty"`
	// Seconds is how long it took; the cases of one rule share theirs.
	Seconds float64 `json:"seconds"`
	// Failure says why it did not pass.
	Failure *TestFailure `json:"failure,omitempty"`
	// Output is what print printed, one line each.
	Output string `json:"output,omitempty"`
}

// TestFailure is what an author needs to see why a test is red. What is not known is absent.
type TestFailure struct {
	// Reason is one line.
	Reason string `json:"reason"`
	// File and Line are where it failed, and Expression what stands there.
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Expression string `json:"expression,omitempty"`
	// Input is what the policy was given: a Rego test's input, a sample's object.
	Input json.RawMessage `json:"input,omitempty"`
	// Expected and Got are the two sides of a comparison, or the findings that a sample wants and those that it got.
	Expected json.RawMessage `json:"expected,omitempty"`
	Got      json.RawMessage `json:"got,omitempty"`
	// Variables are lines of text: the expression with the values of its variables below them.
	Variables string `json:"variables,omitempty"`
}

// Test runs the Rego tests and the samples of policies, each with no more than its policy and the shared helpers compiled. Results are
// sorted by policy, then Rego before samples, then by file, line and name. Problems are policies and tests that could not be run at all;
// none of their tests is among the results.
func Test(ctx context.Context, options TestOptions) ([]TestResult, []Problem) {
	c, err := newCompiler(ctx, true)
	if err != nil {
		return nil, []Problem{{Reason: oneLine(err.Error())}}
	}
	if options.Names == nil {
		options.Names = sampleNames
	}
	if options.Timeout == 0 {
		options.Timeout = testTimeout
	}
	t := &testRun{TestOptions: options, compiler: c}
	for _, source := range options.Sources {
		folders, problems := source.folders()
		for _, problem := range problems {
			if problem.Policy == "" || t.wanted(problem.Policy) {
				t.problems = append(t.problems, problem)
			}
		}
		for _, f := range folders {
			if t.wanted(f.id) {
				t.rego(ctx, source, f)
				t.samples(ctx, source, f.id)
			}
		}
	}
	slices.SortStableFunc(t.results, func(a, b TestResult) int {
		return cmp.Or(
			strings.Compare(a.Policy, b.Policy), strings.Compare(a.Kind, b.Kind), strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), strings.Compare(a.Name, b.Name),
		)
	})
	slices.SortStableFunc(t.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Reason, b.Reason))
	})
	return t.results, slices.Compact(t.problems)
}

// testRun is one call of Test.
type testRun struct {
	TestOptions
	compiler *compiler
	results  []TestResult
	problems []Problem

	together *Set // the set of all sources, when samples are judged by it
}

func (t *testRun) wanted(id string) bool {
	return len(t.Policies) == 0 || slices.Contains(t.Policies, id)
}

func (t *testRun) add(r TestResult) {
	if t.Run == nil || t.Run.MatchString(r.Policy+"/"+r.Name) {
		t.results = append(t.results, r)
	}
}

// samples judges those of one policy.
func (t *testRun) samples(ctx context.Context, source Source, id string) {
	list, problems := source.samples(id)
	t.problems = append(t.problems, problems...)
	var output bytes.Buffer
	sets := map[string]*Set{} // by parameters
	for _, sample := range list {
		if t.Run != nil && !t.Run.MatchString(id+"/"+sample.id) {
			continue
		}
		key := string(sample.parameters)
		if sets[key] == nil {
			set, problems := t.set(ctx, source, &sample, &output)
			for _, problem := range problems {
				if problem.File == "" {
					problem.File = sample.File // what is wrong is the sample's line with parameters
				}
				t.problems = append(t.problems, problem)
			}
			sets[key] = set
		}
		if sets[key].policy(id) == nil {
			continue // a problem says why
		}
		output.Reset()
		start := sets[key].now()
		failure := t.judge(ctx, sets[key], &sample)
		t.add(TestResult{
			Policy: id, Kind: "sample", Name: sample.id, File: sample.File, Passed: failure == nil,
			Seconds: sets[key].now().Sub(start).Seconds(), Failure: failure, Output: output.String(),
		})
	}
}

// set is what judges a sample: every policy denies, so that a sample is judged alike whatever the policy does by default.
func (t *testRun) set(ctx context.Context, source Source, sample *Sample, output *bytes.Buffer) (*Set, []Problem) {
	var mu sync.Mutex
	printed := WithPrint(func(_, file string, line int, text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(output, "%s:%d: %s\n", file, line, text)
	})
	settings := map[string]Setting{sample.Policy: {Action: Deny, Parameters: sample.parameters}}
	if len(t.Beside) == 0 {
		set, problems := Load(ctx, []Source{source}, settings, printed, only(sample.Policy), compileWith(t.compiler))
		return set.WithDeadline(t.Timeout), problems
	}
	sources := slices.Concat(t.Sources, t.Beside)
	for _, s := range sources {
		folders, _ := s.folders()
		for _, f := range folders {
			if _, given := settings[f.id]; !given {
				settings[f.id] = Setting{Action: Deny}
			}
		}
	}
	set, problems := Load(ctx, sources, settings, printed, Previous(t.together), compileWith(t.compiler))
	t.together = set
	return set.WithDeadline(t.Timeout), problems
}

// testTimeout is for machines that do much else: a test is red because of what a policy says, not because of who else runs.
const testTimeout = 10 * time.Second

// judge says why the verdict is not the one that the sample must get, or nil.
func (t *testRun) judge(ctx context.Context, set *Set, sample *Sample) *TestFailure {
	failure := &TestFailure{File: sample.File}
	failure.Input, _ = marshal(sample.object)
	r, err := sample.review(set, t.Names)
	if err != nil {
		failure.Reason = oneLine(err.Error())
		return failure
	}
	if !slices.ContainsFunc(set.matching(r), func(p *compiled) bool { return p.ID == sample.Policy }) {
		failure.Reason = fmt.Sprintf("%s does not match this object: %s %s", sample.Policy, r.Operation, groupKind{r.Group, r.Kind})
		return failure
	}
	decision := set.Evaluate(ctx, r)
	want := slices.DeleteFunc(slices.Clone(sample.want), func(w string) bool {
		id, _, _ := strings.Cut(w, " ")
		return len(t.Beside) == 0 && id != sample.Policy // who is not asked finds nothing
	})
	got, texts, reasons := []string{}, []string{}, []string{}
	for _, u := range decision.Undecided {
		reasons = append(reasons, fmt.Sprintf("%s could not decide: %s", u.Policy, u.Reason))
	}
	for _, v := range decision.Violations {
		got = append(got, strings.TrimSpace(v.Policy+" "+v.Field))
		texts = append(texts, fmt.Sprintf("%s %s: %s: %s", v.Policy, v.Field, v.Rule, v.Text()))
		if v.Action == Deny && !sample.Refused {
			reasons = append(reasons, "refused, and must be accepted: "+v.Text())
		}
	}
	slices.Sort(got)
	missing, more := without(want, got), without(got, want)
	for _, m := range missing {
		reasons = append(reasons, "not found: "+m)
	}
	for _, m := range more {
		reasons = append(reasons, "found, and not wanted: "+m)
	}
	if sample.Refused && !slices.ContainsFunc(want, func(w string) bool { return w == sample.Policy || strings.HasPrefix(w, sample.Policy+" ") }) {
		reasons = append(reasons, fmt.Sprintf("does not say what %s finds: # want: %s <field>", sample.Policy, sample.Policy))
	}
	if len(reasons) == 0 {
		return nil
	}
	failure.Reason = reasons[0]
	if len(reasons) > 1 {
		failure.Reason += fmt.Sprintf(" (and %d more)", len(reasons)-1)
	}
	failure.Variables = strings.Join(reasons, "\n")
	failure.Expected, _ = marshal(want)
	failure.Got, _ = marshal(texts)
	return failure
}

// without returns what is in list more often than in other.
func without(list, other []string) []string {
	count := map[string]int{}
	for _, item := range other {
		count[item]++
	}
	var rest []string
	for _, item := range list {
		if count[item]--; count[item] < 0 {
			rest = append(rest, item)
		}
	}
	return rest
}

// only limits a Load to one policy.
func only(id string) Option { return func(l *loader) { l.only = id } }

// compileWith saves a Load the making of its compiler, which must keep print statements where the Load does.
func compileWith(c *compiler) Option { return func(l *loader) { l.compiler = c } }
