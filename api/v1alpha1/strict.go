package v1alpha1

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// CheckFields compares a decoded JSON value (what encoding/json makes of it in an any) with the Go type of into, a
// pointer, and returns everything that does not fit at once: unknown fields and values of the wrong type, each with
// its path below at. The strict decoders of Kubernetes stop at the first wrong type; somebody who writes a Profile
// wants the whole list.
func CheckFields(value, into any, at *field.Path) field.ErrorList {
	_, errs := checkType(value, reflect.TypeOf(into).Elem(), at)
	return errs
}

// checkType returns what fits of value beside what does not: members that are unknown or of the wrong type are left out, and those
// that are null, which say nothing. A list with an element that does not fit is left out whole, as the positions would be wrong.
func checkType(value any, t reflect.Type, at *field.Path) (fitting any, errs field.ErrorList) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if value == nil {
		return nil, nil
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) || scalar(t) {
		if errs = checkLeaf(value, t, at); len(errs) > 0 {
			return nil, errs
		}
		return value, nil
	}
	if t.Kind() == reflect.Slice {
		return checkElements(value, t, at)
	}
	return checkMembers(value, t, at)
}

func checkElements(value any, t reflect.Type, at *field.Path) (fitting any, errs field.ErrorList) {
	elements, ok := value.([]any)
	if !ok {
		return nil, field.ErrorList{field.TypeInvalid(at, describe(value), "want a list")}
	}
	for i, e := range elements {
		if e == nil { // unlike a member, an element cannot be left out
			errs = append(errs, field.Required(at.Index(i), "an element of a list is null"))
			continue
		}
		_, more := checkType(e, t.Elem(), at.Index(i))
		errs = append(errs, more...)
	}
	return elements, errs
}

func checkMembers(value any, t reflect.Type, at *field.Path) (fitting any, errs field.ErrorList) {
	members, ok := value.(map[string]any)
	if !ok {
		return nil, field.ErrorList{field.TypeInvalid(at, describe(value), "want an object")}
	}
	fields := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		collect(t, fields)
	}
	fits := map[string]any{}
	for _, name := range sortedKeys(members) {
		ft, known := fields[name]
		below := child(at, name)
		if t.Kind() == reflect.Map {
			ft, known, below = t.Elem(), true, at.Key(name)
		}
		if !known {
			errs = append(errs, unknown(below, name, sortedKeys(fields)))
			continue
		}
		part, more := checkType(members[name], ft, below)
		errs = append(errs, more...)
		if _, composite := part.(map[string]any); part != nil && (len(more) == 0 || composite) {
			fits[name] = part
		}
	}
	return fits, errs
}

func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return false
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	default:
		return true
	}
}

// checkLeaf decodes value into a fresh t and reports what encoding/json says against it.
func checkLeaf(value any, t reflect.Type, at *field.Path) field.ErrorList {
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(raw, reflect.New(t).Interface())
	}
	if err == nil {
		return nil
	}
	detail := err.Error()
	switch t.Kind() {
	case reflect.String:
		if t == reflect.TypeFor[Quantity]() {
			detail = "want a quantity, for example 256Mi or 100m"
			break
		}
		detail = "want a string"
		if _, truth := value.(bool); truth {
			detail += ": in YAML off, on, yes and no need quotes"
		}
	case reflect.Bool:
		detail = "want true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		detail = "want an integer"
	}
	return field.ErrorList{field.TypeInvalid(at, describe(value), detail)}
}

// describe shortens composite values: an error repeats a scalar, not a tree.
func describe(value any) any {
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return value
}

// collect gathers the JSON names of a struct's fields, those of inlined structs included.
func collect(t reflect.Type, fields map[string]reflect.Type) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous || slices.Contains(strings.Split(options, ","), "inline"):
			collect(f.Type, fields)
		case name != "":
			fields[name] = f.Type
		}
	}
}

func unknown(at *field.Path, name string, known []string) *field.Error {
	detail := "unknown field"
	if near := nearest(name, known); near != "" {
		detail += fmt.Sprintf("; did you mean %q?", near)
	}
	return field.Forbidden(at, detail)
}

// nearest returns the known name that differs from name in case, dashes or up to two letters, "" if none does.
func nearest(name string, known []string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	best, distance := "", 3
	for _, k := range known {
		if d := editDistance(plain(name), plain(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance of two short strings.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// child names a field; a name with a dot or slash is written in brackets.
func child(at *field.Path, name string) *field.Path {
	switch {
	case at == nil:
		return field.NewPath(name)
	case strings.ContainsAny(name, "./"):
		return at.Key(name)
	}
	return at.Child(name)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
