package defaults

import (
	"bytes"
	"fmt"

	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// recordPath is where a template keeps the record, from the template.
func recordPath() []string { return []string{"metadata", "annotations", record.Annotation} }

// decision is what the update rule makes of a request: the template is filled, or it stays.
type decision struct {
	filled   *filled // what it becomes; nil where it stays
	old      bool    // it becomes the old one
	reason   string  // why it stays
	warnings []string
}

// versions are the two templates of a request and what is known of them. Of a CREATE there is only the new one.
type versions struct {
	new, old             *object.Node
	recordNew, recordOld *record.Record // nil where there is none, or none that can be read
	hasNew, hasOld       bool           // something stands where the record would
	author, authorOld    record.Evidence
	inputs, inputsOld    []byte
}

func versionsOf(r Request) versions {
	v := versions{new: r.pods.Node, author: record.EvidenceOf(r.Object), inputs: record.Inputs(r.Object)}
	v.recordNew, v.hasNew = record.Of(v.new)
	if r.Operation == "UPDATE" && r.Old != nil && r.Old.Template() != nil {
		v.old, v.authorOld, v.inputsOld = r.Old.Template().Node, record.EvidenceOf(r.Old), record.Inputs(r.Old)
		v.recordOld, v.hasOld = record.Of(v.old)
	}
	return v
}

// sameInputs reports whether the answers on the object are those of the old one.
func (v *versions) sameInputs() bool { return bytes.Equal(v.inputs, v.inputsOld) }

// sameAuthor reports whether the author's part is that of the old template, where r is the record that says what in the new one is not.
// Where the template brings a record of its own, another webhook may have rewritten what the call before has filled.
func (v *versions) sameAuthor(r *record.Record) bool {
	part, partOld := record.Part{}, record.Part{Next: v.new, Author: v.authorOld}
	if v.otherRecord() {
		part.Rewritten, partOld.Rewritten = &v.author, &v.authorOld
	}
	return v.sameInputs() && bytes.Equal(part.Of(v.new, r), partOld.Of(v.old, v.recordOld))
}

// describes reports whether r was made for exactly the template that comes, whatever is answered on the object: an undo of a
// StatefulSet brings the template back and leaves those.
func (v *versions) describes(r *record.Record) bool {
	return r != nil && r.Base == record.Base(v.new, r)
}

// otherRecord reports whether the template brings a record, and another than the old one's.
func (v *versions) otherRecord() bool {
	return v.recordNew != nil && (v.recordOld == nil || !v.recordNew.Equal(v.recordOld))
}

// decide is the update rule: new defaults arrive when somebody deploys, and only then. A deploy is a CREATE, and an UPDATE that
// changes the author's part. Whatever else comes along, the template stays as it was, to the byte: annotating, scaling,
// applying or replacing the same manifest once more, and going back to an earlier revision.
func (s *Set) decide(r Request) decision {
	if r.Operation == "UPDATE" && r.untouched() {
		return decision{reason: KeptUntilNextDeploy} // the usual UPDATE: a status, a label, a scale
	}
	v := versionsOf(r)
	if !record.Addressable(v.new) {
		return decision{filled: s.fillOnly(r)}
	}
	if v.hasNew && v.author.Claims(recordPath()) {
		return s.decideClaimed(r, v)
	}
	if v.old == nil {
		if r.Object.ControllerOwned() && v.hasNew {
			return decision{reason: KeptUntilNextDeploy} // a Pod as its template has it: a drained node brings nothing new
		}
		return decision{filled: s.deploy(r, v, v.recordNew)}
	}
	// Nothing but the record was touched.
	if v.sameInputs() && bytes.Equal(record.Bare(v.new), record.Bare(v.old)) {
		return decision{reason: KeptUntilNextDeploy, old: true}
	}
	if v.isRevision() {
		return decision{reason: Restored}
	}
	return s.decideUpdate(r, v)
}

// isRevision reports whether a revision comes back: its record describes it, or it is the one from before Gesso.
func (v *versions) isRevision() bool {
	return v.otherRecord() && v.describes(v.recordNew) ||
		!v.hasNew && v.recordOld != nil && v.recordOld.Origin == record.Hash(record.Bare(v.new))
}

// untouched reports whether template and answers are the old ones to the byte, and no manifest carries the record: of that its author is
// to hear every time.
func (r *Request) untouched() bool {
	if r.Old == nil || r.Old.Template() == nil || record.MayBeClaimed(r.Object) {
		return false
	}
	return bytes.Equal(r.pods.Node.Bytes(), r.Old.Template().Node.Bytes()) && bytes.Equal(record.Inputs(r.Object), record.Inputs(r.Old))
}

// decideUpdate goes on where it takes the author's part to know.
func (s *Set) decideUpdate(r Request, v versions) decision {
	known := v.recordNew
	if known == nil {
		known = v.recordOld
	}
	if v.sameAuthor(known) {
		// A template without a record on either side is older than Gesso and waits as it is.
		return decision{reason: KeptUntilNextDeploy, old: v.recordOld != nil}
	}
	if !v.otherRecord() && v.sameInputs() && v.describes(v.recordNew) {
		return decision{reason: Restored} // Gesso was away when the old template was written: its record is stale, this one is not
	}
	if v.otherRecord() {
		// A second call of this request brings what the first has filled; a revision brings what was filled once.
		if again := s.deploy(r, v, v.recordNew, v.recordOld); v.recordNew.Within(v.new, again.record) {
			return decision{filled: again}
		}
		return decision{reason: Restored}
	}
	switch {
	case v.recordNew != nil:
		return decision{filled: s.deploy(r, v, v.recordNew)}
	case v.hasNew || v.author.Any() || v.recordOld.Complete(v.new):
		// The record is gone, or what is left of it, and says nevertheless what was Gesso's: what the author wrote is known, or all
		// of it still stands. kubectl apply takes all annotations when the last one goes from the manifest.
		return decision{filled: s.deploy(r, v, v.recordOld)}
	default:
		return decision{filled: s.deploy(r, v)}
	}
}

// decideClaimed is for a manifest that carries the record: an object that was exported and applied again. Everything in it is the
// author's.
func (s *Set) decideClaimed(r Request, v versions) decision {
	warnings := []string{fmt.Sprintf("remove the annotation %s from the manifest: it is Gesso's own, and what it lists counts as yours as long as it is there", record.Annotation)}
	if v.old != nil && v.sameInputs() && bytes.Equal((record.Part{}).Of(v.new, v.recordOld), (record.Part{}).Of(v.old, v.recordOld)) {
		return decision{reason: KeptUntilNextDeploy, old: v.recordOld != nil && !v.recordOld.Complete(v.new), warnings: warnings}
	}
	return decision{filled: s.fillOnly(r), warnings: warnings}
}
