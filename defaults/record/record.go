// Package record keeps what Gesso wrote into a pod template, and takes it out again: a hash for every leaf, in one annotation of
// the template itself, so that it goes wherever the template goes: into ReplicaSets, ControllerRevisions and back at an undo.
//
// The record is input that anybody may have written. Only paths of the static list [Families] are honoured, 32 KiB at most, and
// taking out never breaks what somebody else still refers to.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// Annotation is the annotation of the pod template that holds the record.
const Annotation = "gesso.dev/filled"

// MaxSize is how many bytes of a record are read and written at most.
const MaxSize = 32 << 10

// Record says what Gesso wrote into a template. It holds no version and no time: it changes only when what was filled does.
type Record struct {
	// Base is the hash of the author's part of the template, see [Part].
	Base string
	// Origin is the hash of the template from before the first record, see [Bare]; empty if there was none.
	Origin string

	leaves map[string]string // JSON pointer of names and keys from the template (or object) → hash of the leaf
}

// document is the record as JSON. Its members are sorted, as are the names of its maps.
type document struct {
	Base           string                       `json:"base,omitempty"`
	Containers     map[string]map[string]string `json:"containers,omitempty"`
	InitContainers map[string]map[string]string `json:"initContainers,omitempty"`
	Object         map[string]string            `json:"object,omitempty"`
	Origin         string                       `json:"origin,omitempty"`
	Pod            map[string]string            `json:"pod,omitempty"`
	Template       map[string]string            `json:"template,omitempty"`
}

// New returns an empty record.
func New() *Record { return &Record{leaves: map[string]string{}} }

// ErrTooLarge is the error of a record of more than [MaxSize].
var ErrTooLarge = fmt.Errorf("more than %d bytes", MaxSize)

// Parse reads a record. Entries that are on no path of the families are left out.
func Parse(text string) (*Record, error) {
	if len(text) > MaxSize {
		return nil, ErrTooLarge
	}
	var d *document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("decode record: %w", err)
	}
	if d == nil {
		return nil, errors.New("decode record: null")
	}
	r := New()
	r.Base, r.Origin = d.Base, d.Origin
	r.read([]string{"metadata"}, d.Template)
	r.read([]string{"spec"}, d.Pod)
	for name, entries := range d.Containers {
		r.read([]string{"spec", "containers", name}, entries)
	}
	for name, entries := range d.InitContainers {
		r.read([]string{"spec", "initContainers", name}, entries)
	}
	r.read([]string{objectSection}, d.Object)
	return r, nil
}

func (r *Record) read(under []string, entries map[string]string) {
	for text, hash := range entries {
		rest, ok := parsePath(text)
		if path := object.Join(under, rest...); ok && inFamilies(path) {
			r.leaves[object.Pointer(path...)] = hash
		}
	}
}

// Of returns the record of a template. It is nil with present where something stands there that is none.
func Of(template *object.Node) (r *Record, present bool) {
	at := template.Get("metadata", "annotations", Annotation)
	if at.Type() == object.Absent || at.Type() == object.Null {
		return nil, false
	}
	text, ok := at.Text()
	if !ok {
		return nil, true
	}
	r, err := Parse(text)
	if err != nil {
		return nil, true
	}
	return r, true
}

// Equal reports whether two records say the same.
func (r *Record) Equal(other *Record) bool {
	return r.Base == other.Base && r.Origin == other.Origin && maps.Equal(r.leaves, other.leaves)
}

// Empty reports whether r has no entry.
func (r *Record) Empty() bool { return r == nil || len(r.leaves) == 0 }

// String returns r as it is stored.
func (r *Record) String() string {
	d := document{Base: r.Base, Origin: r.Origin}
	put := func(m *map[string]string, path []string, hash string) {
		if *m == nil {
			*m = map[string]string{}
		}
		(*m)[formatPath(path)] = hash
	}
	for pointer, hash := range r.leaves {
		path := tokens(pointer)
		switch {
		case path[0] == objectSection:
			put(&d.Object, path[1:], hash)
		case path[0] == "metadata":
			put(&d.Template, path[1:], hash)
		case len(path) > 3 && (path[1] == "containers" || path[1] == "initContainers"):
			sections := &d.Containers
			if path[1] == "initContainers" {
				sections = &d.InitContainers
			}
			if *sections == nil {
				*sections = map[string]map[string]string{}
			}
			section := (*sections)[path[2]]
			put(&section, path[3:], hash)
			(*sections)[path[2]] = section
		default:
			put(&d.Pod, path[1:], hash)
		}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil { // strings always encode
		panic(fmt.Sprintf("encode record: %v", err))
	}
	return strings.TrimRight(b.String(), "\n")
}

// Note enters every leaf of what stands at the paths, names and keys from the template. Where a path leads nowhere, and what lies on
// no path of the families, is left out.
func (r *Record) Note(template *object.Node, paths [][]string) {
	f := in(template)
	for _, path := range paths {
		n, _ := f.find(path)
		eachLeaf(n, path, r.Enter)
	}
}

// Enter enters the leaf at path with the value that Gesso gives it, which need not be the one that stands there: another webhook may
// have rewritten it.
func (r *Record) Enter(path []string, leaf *object.Node) {
	if inFamilies(path) {
		r.leaves[object.Pointer(path...)] = Hash(leaf.Canonical())
	}
}

// Carry enters what from says of leaves that still stand in the template as they were written and that the author does not claim.
func (r *Record) Carry(template *object.Node, from *Record, author Evidence) {
	if from == nil {
		return
	}
	f := in(template)
	for p, hash := range from.leaves {
		path := tokens(p)
		if n, _ := f.find(path); n != nil && Hash(n.Canonical()) == hash && !author.Claims(path) {
			r.leaves[p] = hash
		}
	}
}

// EnterField enters a field of an object that has no template, at path from its root.
func (r *Record) EnterField(path []string, field *object.Node) {
	r.Enter(object.Join([]string{objectSection}, path...), field)
}

// HasField reports whether r has an entry for a field of an object that has no template.
func (r *Record) HasField(path []string) bool {
	return r.Has(object.Join([]string{objectSection}, path...))
}

// Has reports whether r has an entry for the leaf at path.
func (r *Record) Has(path []string) bool {
	if r == nil {
		return false
	}
	_, ok := r.leaves[object.Pointer(path...)]
	return ok
}

// Complete reports whether r has entries and every leaf that it names stands in the template as it was written.
func (r *Record) Complete(template *object.Node) bool {
	if r.Empty() {
		return false
	}
	f := in(template)
	for _, p := range r.pointers() {
		n, _ := f.find(tokens(p))
		if n == nil || Hash(n.Canonical()) != r.leaves[p] {
			return false
		}
	}
	return true
}

// Within reports whether every leaf that r names and that stands in the template as it was written is an entry of other, with the
// same hash.
func (r *Record) Within(template *object.Node, other *Record) bool {
	f := in(template)
	for _, p := range r.pointers() {
		n, _ := f.find(tokens(p))
		if n != nil && Hash(n.Canonical()) == r.leaves[p] && (other == nil || other.leaves[p] != r.leaves[p]) {
			return false
		}
	}
	return true
}

func (r *Record) pointers() []string {
	all := make([]string, 0, len(r.leaves))
	for p := range r.leaves {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// Hash returns the first eight hexadecimal digits of the SHA-256 of b: enough to see that a value is still the one that was
// written, short enough to stand on every Pod.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}
