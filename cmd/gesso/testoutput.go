package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/policies"
)

// testCounts are the numbers of a run.
type testCounts struct {
	Passed   int     `json:"passed"`
	Failed   int     `json:"failed"`
	Skipped  int     `json:"skipped"`
	Problems int     `json:"problems"`
	Policies int     `json:"policies"`
	Seconds  float64 `json:"seconds"`
}

func (t *tested) counts() testCounts {
	c := testCounts{Problems: len(t.problems)}
	ids := map[string]bool{}
	rule := "" // the cases of one rule share their time
	for _, r := range t.results {
		ids[r.Policy] = true
		switch {
		case r.Skipped:
			c.Skipped++
		case r.Passed:
			c.Passed++
		default:
			c.Failed++
		}
		name, _, _ := strings.Cut(r.Name, "/")
		if this := fmt.Sprintf("%s:%d:%s", r.File, r.Line, name); r.Kind != "rego" || this != rule {
			c.Seconds += r.Seconds
			rule = this
		}
	}
	c.Policies = len(ids)
	return c
}

// summary is the last line.
func (t *tested) summary() string {
	c := t.counts()
	if len(t.results) == 0 && c.Problems > 0 {
		return plural(c.Problems, "problem", "problems") + "; nothing was tested"
	}
	s := fmt.Sprintf("%s of %s: %d passed", plural(len(t.results), "test", "tests"), plural(c.Policies, "policy", "policies"), c.Passed)
	if c.Failed > 0 {
		s += fmt.Sprintf(", %d failed", c.Failed)
	}
	if c.Skipped > 0 {
		s += fmt.Sprintf(", %d skipped", c.Skipped)
	}
	if c.Problems > 0 {
		s += "; " + plural(c.Problems, "problem", "problems")
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printText prints what could not be run, what failed and why, and the numbers; when verbose also every test that passed.
func (t *tested) printText(out io.Writer, verbose bool) error {
	var b strings.Builder
	for _, p := range t.problems {
		fmt.Fprintf(&b, "ERROR  %s\n", p.Error())
	}
	for i := range t.results {
		r := &t.results[i]
		switch {
		case !r.Passed:
			printFailure(&b, r)
		case verbose && r.Skipped:
			fmt.Fprintf(&b, "skip   %s %s  (%s)\n", r.Policy, r.Name, placeOf(r.File, r.Line))
		case verbose:
			fmt.Fprintf(&b, "ok     %s %s  (%s)\n", r.Policy, r.Name, placeOf(r.File, r.Line))
			block(&b, "printed", r.Output)
		}
	}
	b.WriteString(t.summary() + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func placeOf(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

func printFailure(b *strings.Builder, r *policies.TestResult) {
	fmt.Fprintf(b, "FAIL   %s %s  (%s)\n", r.Policy, r.Name, placeOf(r.File, r.Line))
	if f := r.Failure; f != nil {
		block(b, "", f.Reason)
		if f.Expression != "" {
			block(b, "at", placeOf(f.File, f.Line)+": "+f.Expression)
		}
		value(b, "input", f.Input)
		value(b, "expected", f.Expected)
		value(b, "got", f.Got)
		if f.Variables != f.Reason {
			block(b, "more", f.Variables)
		}
	}
	block(b, "printed", r.Output)
}

// value prints JSON as YAML, which people read better.
func value(b *strings.Builder, label string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	text, err := yaml.JSONToYAML(raw)
	if err != nil {
		text = raw
	}
	block(b, label, string(text))
}

// block prints a text, in one line with its label where it is one line, else below it.
func block(b *strings.Builder, label, text string) {
	const indent = "       "
	text = strings.TrimRight(text, "\n")
	switch {
	case text == "":
	case label == "" && !strings.Contains(text, "\n"):
		b.WriteString(indent + text + "\n")
	case !strings.Contains(text, "\n"):
		b.WriteString(indent + label + ": " + text + "\n")
	default:
		if label != "" {
			b.WriteString(indent + label + ":\n")
		}
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(strings.TrimRight(indent+"  "+line, " ") + "\n")
		}
	}
}

// printJSON prints {"results": […], "problems": […], "summary": {…}}.
func (t *tested) printJSON(out io.Writer) error {
	type problem struct {
		Policy string `json:"policy,omitempty"`
		File   string `json:"file,omitempty"`
		Line   int    `json:"line,omitempty"`
		Column int    `json:"column,omitempty"`
		Reason string `json:"reason"`
	}
	report := struct {
		Results  []policies.TestResult `json:"results"`
		Problems []problem             `json:"problems"`
		Summary  testCounts            `json:"summary"`
	}{append([]policies.TestResult{}, t.results...), []problem{}, t.counts()}
	for _, p := range t.problems {
		report.Problems = append(report.Problems, problem{p.Policy, p.File, p.Line, p.Column, p.Reason})
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
