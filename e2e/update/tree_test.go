package update

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"sigs.k8s.io/yaml"
)

// keys name an element of a list in a path: the fields by which the API itself tells elements apart.
var keys = []string{"name", "mountPath"}

// index finds the element of a list that a path names, by one of keys.
func index(list []any, name string) int {
	return slices.IndexFunc(list, func(e any) bool {
		m, _ := e.(map[string]any)
		return slices.ContainsFunc(keys, func(key string) bool { return m[key] == name })
	})
}

// find returns what stands at a path, nil for nothing. Elements of lists are named by their key.
func find(o any, path ...string) any {
	for _, name := range path {
		switch v := o.(type) {
		case map[string]any:
			o = v[name]
		case []any:
			i := index(v, name)
			if i < 0 {
				return nil
			}
			o = v[i]
		default:
			return nil
		}
	}
	return o
}

// with returns o with value at a path; nil takes away what is there. What is missing on the way is made: maps, and elements of
// lists that are there already, by name.
func with(o, value any, path ...string) any {
	if len(path) == 0 {
		return value
	}
	switch v := o.(type) {
	case nil:
		if value == nil {
			return nil
		}
		return map[string]any{path[0]: with(nil, value, path[1:]...)}
	case map[string]any:
		if inner := with(v[path[0]], value, path[1:]...); inner == nil {
			delete(v, path[0])
		} else {
			v[path[0]] = inner
		}
		return v
	case []any:
		i := index(v, path[0])
		switch {
		case i < 0 && value == nil:
			return v
		case i < 0:
			return append(v, with(nil, value, path[1:]...))
		}
		inner := with(v[i], value, path[1:]...)
		if inner == nil {
			return slices.Delete(v, i, i+1)
		}
		v[i] = inner
		return v
	default:
		panic(fmt.Sprintf("%v is no place for %v", o, path))
	}
}

// canonical is a value as JSON with sorted keys.
func canonical(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// parse reads YAML.
func parse(text string) any {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("%v in\n%s", err, text))
	}
	return integers(v)
}

// integers makes int64 of the numbers of a decoded tree, as client-go wants it.
func integers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = integers(v[name])
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case float64:
		return int64(v)
	}
	return v
}

// editVariable holds what an editor has to do, as JSON of edits.
const editVariable = "GESSO_UPDATE_EDIT"

// edit is one change of a file in an editor.
type edit struct {
	Path  []string
	Value any // nil: taken away
}

// editor is what kubectl edit starts: it changes the file that it is given.
func editor() int {
	var edits []edit
	file := os.Args[len(os.Args)-1]
	err := json.Unmarshal([]byte(os.Getenv(editVariable)), &edits)
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(file)
	}
	if err == nil {
		o := parse(string(raw))
		for _, e := range edits {
			o = with(o, e.Value, e.Path...)
		}
		if raw, err = yaml.Marshal(o); err == nil {
			err = os.WriteFile(file, raw, 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "edit:", err)
		return 1
	}
	return 0
}
