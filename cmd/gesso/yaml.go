package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// yaml turns the document into JSON as kubectl does (YAML 1.1: on and yes are booleans), but refuses a key that comes twice,
// where kubectl would drop one of the values. Errors begin with the line in the file.
func (d document) yaml() ([]byte, error) {
	raw, err := yaml.YAMLToJSONStrict(d.text)
	if err == nil {
		return raw, nil
	}
	if strings.Contains(err.Error(), "already set in map") {
		twice, merges := duplicateKey(d.text)
		if twice != nil {
			return nil, fmt.Errorf("line %d: key %q comes twice, first in line %d", d.line-1+twice.line, twice.name, d.line-1+twice.first)
		}
		if merges { // a key that overrides a merged one (<<) is no mistake, but the strict parser takes it for one
			return yaml.YAMLToJSON(d.text)
		}
	}
	return nil, errors.New(d.explain(err))
}

// explain turns an error of the YAML library into one line with the line number of the file.
func (d document) explain(err error) string {
	s := strings.NewReplacer("error converting YAML to JSON: ", "", "yaml: unmarshal errors:\n  ", "", "yaml: ", "", "\n  ", "; ").Replace(err.Error())
	if line, tab := d.tab(); tab && strings.Contains(s, "cannot start any token") {
		return fmt.Sprintf("line %d: a tab in the indentation; YAML wants spaces", line)
	}
	return regexp.MustCompile(`\bline \d+`).ReplaceAllStringFunc(s, func(s string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(s, "line "))
		if err != nil {
			return s
		}
		return fmt.Sprintf("line %d", n+d.line-1) // the library counts from the start of the document
	})
}

// tab finds the first line that is indented by a tab.
func (d document) tab() (line int, found bool) {
	line = d.line
	for l := range bytes.Lines(d.text) {
		indent := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if bytes.IndexByte(indent, '\t') >= 0 && !empty(l) {
			return line, true
		}
		line++
	}
	return 0, false
}

// duplicate is a key that comes twice in one mapping.
type duplicate struct {
	name        string
	line, first int // in the document, from 1
}

// duplicateKey finds the first key that comes twice in a mapping, and whether some mapping merges another (<<).
func duplicateKey(text []byte) (twice *duplicate, merges bool) {
	var root yamlv3.Node
	if err := yamlv3.Unmarshal(text, &root); err != nil {
		return nil, false
	}
	var walk func(n *yamlv3.Node)
	walk = func(n *yamlv3.Node) {
		first := map[string]int{}
		for i, kid := range n.Content {
			if n.Kind == yamlv3.MappingNode && i%2 == 0 {
				if kid.ShortTag() == "!!merge" {
					merges = true
					continue
				}
				name := keyOf(kid)
				if at, seen := first[name]; seen && twice == nil {
					twice = &duplicate{kid.Value, kid.Line, at}
				}
				first[name] = kid.Line
			}
			if kid.Kind != yamlv3.AliasNode { // what it stands for is visited where it is written
				walk(kid)
			}
		}
	}
	walk(&root)
	return twice, merges
}

// keyOf is what a key becomes in JSON: in YAML 1.1 yes, on and true are one key.
func keyOf(n *yamlv3.Node) string {
	if n.Style == 0 || n.Style == yamlv3.TaggedStyle {
		switch s := strings.ToLower(n.Value); {
		case slices.Contains([]string{"y", "yes", "on", "true"}, s):
			return "true"
		case slices.Contains([]string{"n", "no", "off", "false"}, s):
			return "false"
		}
	}
	return n.Value
}
