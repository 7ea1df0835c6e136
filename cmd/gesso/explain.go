package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gesso-dev/gesso/policies"
)

// explainFlags are the flags of gesso explain.
type explainFlags struct {
	engineFlags
	output string
	reads  bool
}

func newExplainCommand() *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain POLICY",
		Short: "Say what a policy is for, what it does here, and what it reads",
		Long: `Print a policy as it is in force: its title and description, what it is asked about, what its deny does, its parameters, the other
objects that it reads.

--reads prints the fields of its input that it reads, one path on each line, and nothing else. "*" stands for every element or member,
"**" for everything below; behind the latter stand the places in the source that ask for it. What is not read of a request is not
parsed: docs/writing-policies.md tells how to read little.`,
		Example: `  gesso explain image-tag
  gesso explain image-tag --reads
  gesso explain our-policy --policies policies/ --profile profile.yaml -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want the id of one policy; there are %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return flags.ids(cmd), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return flags.explain(cmd, args[0]) },
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&flags.reads, "reads", false, "print the fields that it reads")
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "text or json; without it text")
	completeWith(cmd, "output", "text", "json")
	return cmd
}

// ids are those of all policies that can be loaded, each with its title.
func (f *explainFlags) ids(cmd *cobra.Command) []string {
	l, _, err := f.read(cmd.Context(), "", nil)
	if err != nil {
		return nil
	}
	var ids []string
	for _, p := range l.set.Policies() {
		ids = append(ids, p.ID+"\t"+p.Title)
	}
	return ids
}

func (f *explainFlags) explain(cmd *cobra.Command, id string) error {
	f.output = cmp.Or(f.output, "text")
	if f.output != "text" && f.output != "json" {
		return fmt.Errorf("unknown output %q: want text or json", f.output)
	}
	l, err := f.engine(cmd.Context(), "")
	if err != nil {
		return err
	}
	all := l.set.Policies()
	at := slices.IndexFunc(all, func(p policies.Policy) bool { return p.ID == id })
	if at < 0 {
		return fmt.Errorf("there is no policy %q; shell completion lists those that there are, and gesso profile prints them", id)
	}
	e := newExplanation(all[at])
	if f.reads {
		e.Reads = []readPath{}
		for path, node := range l.set.Reads(id).Paths() {
			e.Reads = append(e.Reads, readPath{Path: strings.TrimSuffix("input."+path, "."), Why: node.Why})
		}
	}
	out := cmd.OutOrStdout()
	if f.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(e)
	}
	if f.reads {
		return e.writeReads(out)
	}
	width, _ := terminalWidth(out)
	return e.write(out, width)
}

// explanation is the JSON of gesso explain.
type explanation struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Related     []string `json:"related,omitempty"`
	// Source is library, or the folder in which the policy's folder lies.
	Source string          `json:"source"`
	Match  []explainedRule `json:"match"`
	// Action is the one in force, DefaultAction the policy's own.
	Action        policies.Action      `json:"action"`
	DefaultAction policies.Action      `json:"defaultAction"`
	Namespaces    []explainedNamespace `json:"namespaces,omitempty"`
	Parameters    json.RawMessage      `json:"parameters"`
	Schema        json.RawMessage      `json:"schema,omitempty"`
	Inventory     []explainedInventory `json:"inventory,omitempty"`
	Reads         []readPath           `json:"reads,omitempty"`
}

type explainedRule struct {
	Group       string   `json:"group"`
	Kind        string   `json:"kind"`
	Subresource string   `json:"subresource,omitempty"`
	Operations  []string `json:"operations"`
}

type explainedNamespace struct {
	Names  []string          `json:"names,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Action policies.Action   `json:"action"`
}

type explainedInventory struct {
	Name   string   `json:"name"`
	Group  string   `json:"group"`
	Kind   string   `json:"kind"`
	By     string   `json:"by"`
	Fields []string `json:"fields"`
}

// readPath is one line of --reads. Why says what asks for a whole value; without it only the value itself is read, where it is a scalar.
type readPath struct {
	Path string   `json:"path"`
	Why  []string `json:"why,omitempty"`
}

func newExplanation(p policies.Policy) *explanation {
	e := &explanation{
		ID: p.ID, Title: p.Title, Description: p.Description, Related: p.Related, Source: p.Source, Action: p.Action,
		DefaultAction: p.DefaultAction, Parameters: p.Parameters, Schema: p.Schema,
	}
	for _, rule := range p.Match.Rules() {
		e.Match = append(e.Match, explainedRule{rule.Kind.Group, rule.Kind.Kind, rule.Kind.Subresource, rule.Operations})
	}
	for _, n := range p.Namespaces {
		e.Namespaces = append(e.Namespaces, explainedNamespace{n.Names, n.Labels, n.Action})
	}
	for _, kind := range p.Inventory {
		e.Inventory = append(e.Inventory, explainedInventory{kind.Name, kind.Group, kind.Kind, kind.By, kind.Fields})
	}
	return e
}

// qualified is a kind as people write it: Deployment.apps, Pod/ephemeralcontainers.
func qualified(group, kind, subresource string) string {
	if group != "" {
		kind += "." + group
	}
	if subresource != "" {
		kind += "/" + subresource
	}
	return kind
}

// write prints the explanation for people.
func (e *explanation) write(out io.Writer, width int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", e.ID, e.Title)
	if e.Description != "" {
		row(&b, width, "why", strings.TrimSpace(e.Description))
	}
	for _, url := range e.Related {
		row(&b, width, "related", url)
	}
	row(&b, width, "source", e.Source)
	for _, rule := range e.matches() {
		row(&b, width, "match", rule)
	}
	action := string(e.Action)
	if e.Action != e.DefaultAction {
		action += fmt.Sprintf(" (the policy's own is %s)", e.DefaultAction)
	}
	row(&b, width, "action", action)
	for _, n := range e.Namespaces {
		selected := slices.Clone(n.Names)
		for _, key := range slices.Sorted(maps.Keys(n.Labels)) {
			selected = append(selected, key+"="+n.Labels[key])
		}
		row(&b, width, "", fmt.Sprintf("%s in namespaces %s", n.Action, strings.Join(selected, ", ")))
	}
	if err := e.writeParameters(&b, width); err != nil {
		return err
	}
	for _, kind := range e.Inventory {
		text := fmt.Sprintf("%s: %s by %s", kind.Name, qualified(kind.Group, kind.Kind, ""), kind.By)
		if len(kind.Fields) > 0 {
			text += "\n" + strings.Join(kind.Fields, ", ")
		}
		row(&b, width, "inventory", text)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// matches are the kinds, those with the same operations together.
func (e *explanation) matches() []string {
	var order []string
	kinds := map[string][]string{}
	for _, rule := range e.Match {
		operations := strings.Join(rule.Operations, ", ")
		if kinds[operations] == nil {
			order = append(order, operations)
		}
		kinds[operations] = append(kinds[operations], qualified(rule.Group, rule.Kind, rule.Subresource))
	}
	lines := make([]string, len(order))
	for i, operations := range order {
		lines[i] = operations + " of " + strings.Join(kinds[operations], ", ")
	}
	return lines
}

// writeParameters prints one line for each parameter, with its value here and what it is for.
func (e *explanation) writeParameters(b *strings.Builder, width int) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(e.Parameters, &values); err != nil {
		return fmt.Errorf("parameters of %s: %w", e.ID, err)
	}
	var schema struct {
		Properties map[string]struct {
			Description string `json:"description"`
		} `json:"properties"`
	}
	if len(e.Schema) > 0 {
		if err := json.Unmarshal(e.Schema, &schema); err != nil {
			return fmt.Errorf("parameters of %s: %w", e.ID, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := fmt.Sprintf("%s: %s", name, values[name])
		if description := schema.Properties[name].Description; description != "" {
			text += "\n" + strings.TrimSpace(description)
		}
		row(b, width, "parameter", text)
	}
	return nil
}

// writeReads prints one path on each line.
func (e *explanation) writeReads(out io.Writer) error {
	var b strings.Builder
	for _, path := range e.Reads {
		b.WriteString(path.Path)
		if len(path.Why) > 0 {
			b.WriteString("  " + strings.Join(path.Why, "; "))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(out, b.String())
	return err
}
