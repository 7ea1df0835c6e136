package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// fieldPath is a path into an object as METADATA writes it: names joined by dots, [] after a list for each of its elements, and a name
// that holds dots in brackets: spec.rules[].host, metadata.labels[app.kubernetes.io/name].
type fieldPath []pathStep

// pathStep is the name of a field or, with each set, every element of a list.
type pathStep struct {
	name string
	each bool
}

func parseFieldPath(text string) (fieldPath, error) {
	var path fieldPath
	rest := text
	for rest != "" {
		if rest[0] == '[' {
			name, after, closed := strings.Cut(rest[1:], "]")
			if !closed {
				return nil, fmt.Errorf("the path %q has a [ without a ]", text)
			}
			if len(path) == 0 {
				return nil, fmt.Errorf("the path %q must begin with the name of a field", text)
			}
			path = append(path, pathStep{name: name, each: name == ""})
			rest = after
		} else {
			if len(path) > 0 {
				if rest[0] != '.' {
					return nil, fmt.Errorf("the path %q needs a . after ]", text)
				}
				rest = rest[1:]
			}
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			name := rest[:end]
			if name == "" || strings.ContainsAny(name, "]*/ \t\n") {
				return nil, fmt.Errorf("the path %q holds a name that is empty or odd; a name with dots or slashes stands in brackets: metadata.labels[example.com/name]", text)
			}
			path = append(path, pathStep{name: name})
			rest = rest[end:]
		}
	}
	if len(path) == 0 {
		return nil, errors.New("the path is empty")
	}
	return path, nil
}

// values collects the texts at the path, without duplicates and in the order of the object. Numbers and truth values count as their
// JSON text; what is of another type, or absent, gives nothing.
func (p fieldPath) values(value any) []string {
	var found []string
	p.visit(value, func(value any) {
		text, ok := scalarText(value)
		if ok && !slices.Contains(found, text) {
			found = append(found, text)
		}
	})
	return found
}

func (p fieldPath) visit(value any, visit func(any)) {
	if len(p) == 0 {
		visit(value)
		return
	}
	if p[0].each {
		list, _ := value.([]any)
		for _, item := range list {
			p[1:].visit(item, visit)
		}
		return
	}
	object, _ := value.(map[string]any)
	if field, found := object[p[0].name]; found {
		p[1:].visit(field, visit)
	}
}

func scalarText(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	case int64:
		return strconv.FormatInt(value, 10), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	}
	return "", false
}
