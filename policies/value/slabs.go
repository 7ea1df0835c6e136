package value

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// slabs hands out terms, slices of terms and texts from larger pieces, so that a document costs a few allocations where it would cost
// one for each value. A piece lives as long as anything that was cut from it, which is why values that are kept for long are read by
// something else. The rest of a piece serves the next document.
type slabs struct {
	freeTerms    []ast.Term
	freePointers []*ast.Term
	freeText     strings.Builder // its bytes are only ever appended to, never moved
}

// The sizes of pieces. The first and the last are size classes of the runtime.
const (
	termPiece    = 128 // 3 KiB
	pointerPiece = 256 // 2 KiB
	textPiece    = 4096
	// What is larger than a quarter of a piece gets its own memory.
	largePart = 4
)

func (s *slabs) term(v ast.Value) *ast.Term {
	if len(s.freeTerms) == 0 {
		s.freeTerms = make([]ast.Term, termPiece)
	}
	term := &s.freeTerms[0]
	s.freeTerms = s.freeTerms[1:]
	term.Value = v
	return term
}

// pointers copies a list. Nothing can be appended to the copy in place.
func (s *slabs) pointers(list []*ast.Term) []*ast.Term {
	n := len(list)
	if n > pointerPiece/largePart {
		return slices.Clone(list)
	}
	if n > len(s.freePointers) {
		s.freePointers = make([]*ast.Term, pointerPiece)
	}
	copied := s.freePointers[:n:n]
	s.freePointers = s.freePointers[n:]
	copy(copied, list)
	return copied
}

// copied returns the text in memory of its own.
func (s *slabs) copied(text []byte) string {
	if len(text) > textPiece/largePart {
		return string(text)
	}
	if s.freeText.Cap()-s.freeText.Len() < len(text) {
		s.freeText.Reset() // what was handed out keeps the piece
		s.freeText.Grow(textPiece)
	}
	from := s.freeText.Len()
	s.freeText.Write(text)
	return s.freeText.String()[from:]
}
