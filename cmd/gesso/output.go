package main

import (
	"encoding/json"
	"fmt"
	"io"
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
	for i := range results {
		if results[i].Reviewed == nil {
			continue
		}
		raw, err := yaml.JSONToYAML(results[i].Reviewed)
		if err != nil {
			return err
		}
		if i > 0 {
			raw = append([]byte("---\n"), raw...)
		}
		if _, err := out.Write(raw); err != nil {
			return err
		}
	}
	for i := range results {
		for _, line := range findings(&results[i]) {
			if _, err := fmt.Fprintf(errOut, "%s %s: %s\n", results[i].Source, name(&results[i]), line); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(errOut, summary(results))
	return err
}

// printTable prints one paragraph for each object: the verdict, then what is wrong, what was filled, what was not and why.
func printTable(out, _ io.Writer, results []admission.Result, width int) error {
	var b strings.Builder
	for i := range results {
		r := &results[i]
		fmt.Fprintf(&b, "%-9s %s  (%s)\n", verdict(r), name(r), r.Source)
		for _, line := range findings(r) {
			b.WriteString(wrap("  ! ", line, width))
		}
		for _, d := range r.Defaults {
			b.WriteString(wrap("  + ", d.ID+": "+strings.Join(d.Paths, " "), width))
		}
		for _, d := range r.Preview {
			b.WriteString(wrap("  ? ", d.ID+" (preview): "+strings.Join(d.Paths, " "), width))
		}
		for _, s := range r.Skipped {
			line := s.ID + ": " + s.Reason
			if s.Field != "" {
				line += " (" + s.Field + ")"
			}
			b.WriteString(wrap("  - ", line, width))
		}
	}
	if len(results) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(summary(results) + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func verdict(r *admission.Result) string {
	switch {
	case len(r.Denials()) > 0:
		return "DENIED"
	case !r.Allowed:
		return "UNDECIDED"
	}
	return "allowed"
}

// name is how people call an object: Kind namespace/name.
func name(r *admission.Result) string {
	s := r.Object.Kind + " " + r.Object.Name
	if r.Object.Namespace != "" {
		s = r.Object.Kind + " " + r.Object.Namespace + "/" + r.Object.Name
	}
	return s
}

// findings returns what somebody should know or do, one line each, worst first.
func findings(r *admission.Result) []string {
	var all []string
	for _, action := range []string{"deny", "undecided", "warn", "audit"} {
		for _, v := range r.Violations {
			if v.Action != action {
				continue
			}
			line := action + ": " + v.Field + ": " + v.Text()
			if v.Ratcheted {
				line += " (the old object had it too)"
			}
			if v.Exception != "" {
				line += fmt.Sprintf(" (exception %s)", v.Exception)
			}
			all = append(all, line)
		}
		if action == "undecided" {
			for _, u := range r.Undecided {
				all = append(all, "could not decide: "+u.Reason+" ["+u.Policy+"]")
			}
		}
	}
	for _, w := range r.Warnings {
		all = append(all, "warning: "+w)
	}
	return all
}

// summary is the last line: how many objects, and what became of them.
func summary(results []admission.Result) string {
	var allowed, denied, undecided, filled, warned int
	for i := range results {
		switch verdict(&results[i]) {
		case "DENIED":
			denied++
		case "UNDECIDED":
			undecided++
		default:
			allowed++
		}
		if len(results[i].Patch) > 0 {
			filled++
		}
		if len(results[i].Warnings) > 0 {
			warned++
		}
		for _, v := range results[i].Violations {
			if v.Action == "warn" && len(results[i].Warnings) == 0 {
				warned++
				break
			}
		}
	}
	s := fmt.Sprintf("%d objects: %d allowed, %d denied, %d undecided; %d filled, %d with warnings", len(results), allowed, denied, undecided, filled, warned)
	if len(results) == 1 {
		s = "1 object" + strings.TrimPrefix(s, "1 objects")
	}
	return s
}

// wrap breaks a line at spaces so that it fits width columns, 0 for any, and indents what follows the first.
func wrap(first, text string, width int) string {
	if width < 40 {
		return first + text + "\n"
	}
	var b strings.Builder
	line := first
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = strings.Repeat(" ", len(first)) + "  " + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
