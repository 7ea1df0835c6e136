package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/object"
)

// printTable prints the table without explanations.
func printTable(out, _ io.Writer, results []admission.Result, width int) error {
	return writeTable(out, results, width, false)
}

// printWhy prints the table and says in words why each default did not act.
func printWhy(out, _ io.Writer, results []admission.Result, width int) error {
	return writeTable(out, results, width, true)
}

// writeTable prints one paragraph for each object: the verdict, then what is wrong, what was filled, what was not and why.
// Fields below a pod spec are named from there on, and those that differ in a list position only are told together.
func writeTable(out io.Writer, results []admission.Result, width int, why bool) error {
	var b strings.Builder
	for i := range results {
		r := &results[i]
		fmt.Fprintf(&b, "%-9s %s  (%s)\n", verdict(r), name(r), r.Source)
		for _, f := range findings(r) {
			text := f.text
			if f.field != "" {
				text += "\nat " + f.field
			}
			row(&b, width, f.label, text)
		}
		podSpec := podSpecOf(r)
		for _, d := range r.Defaults {
			row(&b, width, "filled", d.ID+": "+strings.Join(together(podSpec, pointers(d.Paths)), " "))
		}
		for _, d := range r.Preview {
			text := d.ID + ": " + strings.Join(together(podSpec, pointers(d.Paths)), " ")
			if why {
				text += "\nwould be filled: the Profile only previews this default here"
			}
			row(&b, width, "preview", text)
		}
		for _, line := range skips(r, podSpec, why) {
			row(&b, width, "skipped", line)
		}
	}
	if len(results) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(summary(results) + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// podSpecOf returns what the fields of the object's pod spec begin with, "" for a kind without one.
func podSpecOf(r *admission.Result) string {
	o, err := object.New(r.Reviewed)
	if err != nil || o.Template() == nil {
		return ""
	}
	return object.FieldPath(o.Template().Spec()...) + "."
}

// pointers writes JSON pointers the way Kubernetes names fields.
func pointers(paths []string) []string {
	fields := make([]string, len(paths))
	for i, path := range paths {
		tokens := strings.Split(strings.TrimPrefix(path, "/"), "/")
		for j := range tokens {
			tokens[j] = strings.NewReplacer("~1", "/", "~0", "~").Replace(tokens[j])
		}
		fields[i] = object.FieldPath(tokens...)
	}
	return fields
}

// skip is a default that did not act for a reason, at some fields.
type skip struct {
	id, reason string
	fields     []string
}

// skips says which defaults did not act, one line for each default and reason. Those that the platform switched off or never
// configured are no concern of an object's author and share a line, unless it is asked why.
func skips(r *admission.Result, podSpec string, why bool) []string {
	var all, idle []*skip
	for _, s := range r.Skipped {
		if s.Reason == defaults.Preview || madeHere(r, s.Field) {
			continue // has a line of its own; that Gesso's own sidecar is complete is no news
		}
		list, same := &all, func(k *skip) bool { return k.id == s.ID && k.reason == s.Reason }
		if s.Reason == defaults.Off || s.Reason == defaults.NotConfigured {
			list = &idle
		}
		i := slices.IndexFunc(*list, same)
		if i < 0 {
			i = len(*list)
			*list = append(*list, &skip{id: s.ID, reason: s.Reason})
		}
		if s.Field != "" {
			(*list)[i].fields = append((*list)[i].fields, s.Field)
		}
	}
	var lines []string
	if why {
		for _, s := range append(all, idle...) {
			lines = append(lines, s.line(podSpec)+"\n"+defaults.Explain(s.reason))
		}
		return lines
	}
	for _, s := range all {
		lines = append(lines, s.line(podSpec))
	}
	return append(lines, byReason(idle)...)
}

func (s *skip) line(podSpec string) string {
	line := s.reason
	if s.id != "*" {
		line = s.id + ": " + s.reason
	}
	if at := together(podSpec, s.fields); len(at) > 0 {
		line += " (" + strings.Join(at, " ") + ")"
	}
	return line
}

// byReason tells of the defaults with one reason in one line.
func byReason(all []*skip) []string {
	var order []string
	ids := map[string][]string{}
	for _, s := range all {
		if !slices.Contains(order, s.reason) {
			order = append(order, s.reason)
		}
		ids[s.reason] = append(ids[s.reason], s.id)
	}
	lines := make([]string, len(order))
	for i, reason := range order {
		lines[i] = reason + ": " + strings.Join(ids[reason], ", ")
	}
	return lines
}

// madeHere reports whether a field lies below something that was filled just now.
func madeHere(r *admission.Result, field string) bool {
	return slices.ContainsFunc(r.Defaults, func(d admission.Filled) bool {
		return slices.ContainsFunc(pointers(d.Paths), func(made string) bool {
			return strings.HasPrefix(field, made+".") || strings.HasPrefix(field, made+"[")
		})
	})
}

// place is a field with the position of one container, or with those of several containers that have the same field.
type place struct {
	head, tail string // around the position; all of the field in head where it has none
	positions  []string
}

// together shortens a list of fields: what comes before the pod spec is left out, the same field of several containers is told
// once (containers[0,1].image), and several fields of one parent too (containers[0].resources.{requests.cpu,limits.memory}).
func together(podSpec string, fields []string) []string {
	position := regexp.MustCompile(`\[\d+\]`)
	var places []*place
	for _, f := range fields {
		f = strings.TrimPrefix(f, podSpec)
		p := &place{head: f}
		if at := position.FindStringIndex(f); at != nil {
			p = &place{f[:at[0]], f[at[1]:], []string{f[at[0]+1 : at[1]-1]}}
		}
		i := slices.IndexFunc(places, func(q *place) bool {
			return q.head == p.head && q.tail == p.tail && len(q.positions) > 0 && len(p.positions) > 0
		})
		if i < 0 {
			places = append(places, p)
		} else if !slices.Contains(places[i].positions, p.positions[0]) {
			places[i].positions = append(places[i].positions, p.positions[0])
		}
	}
	return braced(places)
}

// braced writes places, with the fields of one parent in braces.
func braced(places []*place) []string {
	type brace struct {
		parent string
		names  []string
	}
	var braces []*brace
	for _, g := range places {
		b := &brace{parent: g.head}
		if len(g.positions) > 0 {
			b.parent += "[" + strings.Join(g.positions, ",") + "]"
			parent, field, deeper := strings.Cut(strings.TrimPrefix(g.tail, "."), ".")
			if deeper {
				b.parent, b.names = b.parent+"."+parent, []string{field}
			} else {
				b.parent += g.tail
			}
		}
		i := slices.IndexFunc(braces, func(c *brace) bool { return c.parent == b.parent && len(c.names) > 0 && len(b.names) > 0 })
		if i < 0 {
			braces = append(braces, b)
		} else {
			braces[i].names = append(braces[i].names, b.names...)
		}
	}
	short := make([]string, len(braces))
	for i, b := range braces {
		switch len(b.names) {
		case 0:
			short[i] = b.parent
		case 1:
			short[i] = b.parent + "." + b.names[0]
		default:
			short[i] = b.parent + ".{" + strings.Join(b.names, ",") + "}"
		}
	}
	return short
}

// row writes a label and its text, broken at spaces so that lines fit width columns, 0 for any width.
func row(b *strings.Builder, width int, label, text string) {
	const indent = 12
	start := fmt.Sprintf("  %-*s", indent-2, label)
	for part := range strings.SplitSeq(text, "\n") {
		line := start
		for i, word := range strings.Split(part, " ") {
			if i > 0 {
				if width >= 40 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
					b.WriteString(line + "\n")
					line = strings.Repeat(" ", indent)
				} else {
					line += " "
				}
			}
			line += word
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		start = strings.Repeat(" ", indent)
	}
}
