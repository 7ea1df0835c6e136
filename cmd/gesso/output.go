package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
)

// The rules of printing: stdout holds the results and nothing else. In the table people read everything there; in yaml and
// json, where a program reads stdout, what people must know goes to stderr.

// printJSON prints {"results": [...]}.
func printJSON(out, errOut io.Writer, results []admission.Result, _ int) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]any{"results": results}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(errOut, summary(results))
	return err
}

// printYAML prints the objects as they would be stored: what was submitted plus what Gesso fills.
func printYAML(out, errOut io.Writer, results []admission.Result, _ int) error {
	var documents []string
	for i := range results {
		if results[i].Reviewed == nil {
			continue
		}
		raw, err := yaml.JSONToYAML(results[i].Reviewed)
		if err != nil {
			return fmt.Errorf("%s: %w", results[i].Source, err)
		}
		documents = append(documents, string(raw))
	}
	if _, err := io.WriteString(out, strings.Join(documents, "---\n")); err != nil {
		return err
	}
	for i := range results {
		for _, f := range findings(&results[i]) {
			if _, err := fmt.Fprintf(errOut, "%s: %s: %s: %s\n", results[i].Source, name(&results[i]), f.label, f.line()); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(errOut, summary(results))
	return err
}

// verdict is what became of an object, in one word.
func verdict(r *admission.Result) string {
	switch {
	case len(r.Denials()) > 0:
		return "DENIED"
	case !r.Allowed:
		return "UNDECIDED"
	case len(r.Skipped) == 1 && r.Skipped[0].ID == "*":
		return "skipped" // nobody looked at it
	}
	return "allowed"
}

// name is how people call an object: Kind namespace/name.
func name(r *admission.Result) string {
	if r.Object.Namespace != "" {
		return r.Object.Kind + " " + r.Object.Namespace + "/" + r.Object.Name
	}
	return r.Object.Kind + " " + r.Object.Name
}

// finding is something that somebody should know or do.
type finding struct {
	label string // deny, undecided, warn, audit, warning
	text  string
	field string // "" for none
}

// line is the finding in one line, without its label.
func (f finding) line() string {
	if f.field == "" {
		return f.text
	}
	return f.field + ": " + f.text
}

// findings returns what somebody should know or do, worst first.
func findings(r *admission.Result) []finding {
	var all []finding
	violations := func(action string) {
		for _, v := range r.Violations {
			if v.Action != action {
				continue
			}
			f := finding{action, v.Text(), v.Field}
			if v.Ratcheted {
				f.text += " (a deny for new objects; this one has it already)"
			}
			if v.Exception != "" {
				f.text += fmt.Sprintf(" (a deny, excepted by %s)", v.Exception)
			}
			all = append(all, f)
		}
	}
	violations("deny")
	for _, u := range r.Undecided {
		f := finding{label: "undecided", text: u.Reason + " [" + u.Policy + "]"}
		if !u.Enforced {
			f.text += " (this refuses nothing)"
		}
		all = append(all, f)
	}
	violations("warn")
	for _, w := range r.Warnings {
		all = append(all, finding{label: "warning", text: w})
	}
	violations("audit")
	return all
}

// summary is the last line: how many objects, what became of them, and what else is worth a look.
func summary(results []admission.Result) string {
	verdicts := map[string]int{}
	var filled, warned, unsure int
	for i := range results {
		r := &results[i]
		verdicts[verdict(r)]++
		if len(r.Patch) > 0 {
			filled++
		}
		if slices.ContainsFunc(findings(r), func(f finding) bool { return f.label == "warn" || f.label == "warning" }) {
			warned++
		}
		if r.Allowed && len(r.Undecided) > 0 {
			unsure++
		}
	}
	count := func(n int, what string) string { return fmt.Sprintf("%d %s", n, what) }
	parts := []string{count(verdicts["allowed"], "allowed"), count(verdicts["DENIED"], "denied")}
	for _, v := range []string{"UNDECIDED", "skipped"} {
		if n := verdicts[v]; n > 0 {
			parts = append(parts, count(n, strings.ToLower(v)))
		}
	}
	s := count(len(results), "objects: ")
	if len(results) == 1 {
		s = "1 object: "
	}
	s += strings.Join(parts, ", ") + "; " + count(filled, "filled")
	if warned > 0 {
		s += ", " + count(warned, "with warnings")
	}
	if unsure > 0 { // the exit code tells of it, so the summary must
		s += ", " + count(unsure, "allowed with undecided policies")
	}
	return s
}
