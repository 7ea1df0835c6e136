// Package record keeps what Gesso wrote into a pod template, and takes it out again: a hash for every leaf, in one annotation of
// the template itself, so that it goes wherever the template goes: into ReplicaSets, ControllerRevisions and back at an undo.
//
// The record is input that anybody may have written. Only paths of the static list [Families] are honoured, 32 KiB at most, and
// taking out never breaks what somebody else still refers to.
package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
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

	entries []entry
	ordered bool // entries are in the order of their paths, each path once
	tokens  []string
	text    strings.Builder
}

// entry says which hash the leaf had that Gesso wrote at a path of names and keys from the template (or object).
type entry struct {
	path []string
	hash string
	at   int // the how manieth it is: of two with one path the later counts
}

// New returns an empty record.
func New() *Record { return &Record{} }

// enter adds an entry. The path is copied.
func (r *Record) enter(path []string, hash string) {
	if cap(r.tokens)-len(r.tokens) < len(path) {
		r.tokens = make([]string, 0, max(128, len(path)))
	}
	from := len(r.tokens)
	r.tokens = append(r.tokens, path...)
	if r.entries == nil {
		r.entries = make([]entry, 0, 16)
	}
	r.entries = append(r.entries, entry{r.tokens[from:len(r.tokens):len(r.tokens)], hash, len(r.entries)})
	r.ordered = false
}

// sorted returns the entries in the order of their paths, each path once.
func (r *Record) sorted() []entry {
	if !r.ordered {
		slices.SortFunc(r.entries, func(a, b entry) int { return cmp.Or(slices.Compare(a.path, b.path), cmp.Compare(a.at, b.at)) })
		kept := r.entries[:0]
		for _, e := range r.entries {
			if last := len(kept) - 1; last >= 0 && slices.Equal(kept[last].path, e.path) {
				kept[last] = e
				continue
			}
			kept = append(kept, e)
		}
		r.entries, r.ordered = kept, true
	}
	return r.entries
}

// hashAt returns the hash of the entry with the path, and whether there is one.
func (r *Record) hashAt(path []string) (string, bool) {
	if r == nil {
		return "", false
	}
	all := r.sorted()
	i, found := slices.BinarySearchFunc(all, path, func(e entry, path []string) int { return slices.Compare(e.path, path) })
	if !found {
		return "", false
	}
	return all[i].hash, true
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
	return r.Base == other.Base && r.Origin == other.Origin && slices.EqualFunc(r.sorted(), other.sorted(), func(a, b entry) bool {
		return a.hash == b.hash && slices.Equal(a.path, b.path)
	})
}

// Empty reports whether r has no entry.
func (r *Record) Empty() bool { return r == nil || len(r.entries) == 0 }

// Note enters every leaf of what stands at the paths, names and keys from the template. Where a path leads nowhere, and what lies on
// no path of the families, is left out.
func (r *Record) Note(template *object.Node, paths [][]string) {
	f := in(template)
	var buf [12]string
	for _, path := range paths {
		eachLeaf(f.value(path), append(buf[:0], path...), r.Enter)
	}
}

// Noting enters what was filled in one template.
type Noting struct {
	record *Record
	finder Finder
}

// Noting returns what enters leaves of a template that does not change meanwhile.
func (r *Record) Noting(template *object.Node) *Noting {
	return &Noting{r, Finder{template: template}}
}

// Filled is [Record.Note] of paths with positions, from the root of an object whose template lies at root. Paths beside it are left out.
func (n *Noting) Filled(root []string, paths [][]string) {
	var buf [12]string
	path := buf[:0]
	for _, p := range paths {
		if len(p) > len(root) && slices.Equal(p[:len(root)], root) {
			keyed, leaf := n.finder.keyed(p[len(root):], path)
			eachLeaf(leaf, keyed, n.record.Enter)
		}
	}
}

// Enter enters the leaf at path with the value that Gesso gives it, which need not be the one that stands there: another webhook may
// have rewritten it.
func (r *Record) Enter(path []string, leaf *object.Node) {
	if inFamilies(path) {
		r.enter(path, r.hashOf(leaf))
	}
}

// hashOf is [Hash] of a leaf.
func (r *Record) hashOf(leaf *object.Node) string {
	if r.text.Len() == 0 {
		r.text.Grow(256)
	}
	at := r.text.Len()
	short := digest(leaf)
	r.text.Write(short[:])
	return r.text.String()[at:]
}

// Carry enters what from says of leaves that still stand in the template as they were written and that the author does not claim.
func (r *Record) Carry(template *object.Node, from *Record, author Evidence) {
	if from == nil {
		return
	}
	f := in(template)
	for _, e := range from.sorted() {
		if n := f.value(e.path); n != nil && wasWritten(n, e.hash) && !author.Claims(e.path) {
			r.enter(e.path, e.hash)
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
	_, ok := r.hashAt(path)
	return ok
}

// Complete reports whether r has entries and every leaf that it names stands in the template as it was written.
func (r *Record) Complete(template *object.Node) bool {
	if r.Empty() {
		return false
	}
	f := in(template)
	for _, e := range r.sorted() {
		if n := f.value(e.path); n == nil || !wasWritten(n, e.hash) {
			return false
		}
	}
	return true
}

// Within reports whether every leaf that r names and that stands in the template as it was written is an entry of other, with the
// same hash.
func (r *Record) Within(template *object.Node, other *Record) bool {
	f := in(template)
	for _, e := range r.sorted() {
		if n := f.value(e.path); n != nil && wasWritten(n, e.hash) {
			if hash, ok := other.hashAt(e.path); !ok || hash != e.hash {
				return false
			}
		}
	}
	return true
}

// Hash returns the first eight hexadecimal digits of the SHA-256 of b: enough to see that a value is still the one that was
// written, short enough to stand on every Pod.
func Hash(b []byte) string {
	short := hexOf(b)
	return string(short[:])
}

func hexOf(b []byte) (short [8]byte) {
	sum := sha256.Sum256(b)
	hex.Encode(short[:], sum[:4])
	return short
}

// digest is [Hash] of a value in canonical form.
func digest(n *object.Node) [8]byte {
	var buf [128]byte
	return hexOf(n.AppendCanonical(buf[:0]))
}

// wasWritten reports whether n still is the value of that hash.
func wasWritten(n *object.Node, hash string) bool {
	short := digest(n)
	return string(short[:]) == hash
}
