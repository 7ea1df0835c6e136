package object

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// SyntaxError says why a document is not the strict JSON that Gesso accepts and where.
type SyntaxError struct {
	Line, Column int    // both from 1; Column counts bytes
	Path         string // JSON pointer to the value being read, "" at the top
	Reason       string
}

func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
	}
	path := e.Path
	if len(path) > 200 { // nobody reads a path of a thousand levels
		path = path[:200] + "…"
	}
	return fmt.Sprintf("line %d, column %d: at %s: %s", e.Line, e.Column, path, e.Reason)
}

// Parse reads one JSON value and nothing after it, as strictly as [Scan], and makes all nodes at once. Many goroutines may
// read the tree. The nodes refer to data, which must not be modified afterwards. Errors are of type *[SyntaxError].
func Parse(data []byte) (*Node, error) {
	s := newScanner(data)
	defer s.free()
	if !s.scan() {
		return nil, s.err()
	}
	return s.tree(), nil
}

// fail keeps an error. inValue is whether it lies in a value of the innermost list or object, or else in that itself.
func (s *scanner) fail(at int, inValue bool, reason string) int {
	s.at, s.inValue, s.reason = at, inValue, reason
	return failed
}

// here names what stands at i, for messages.
func (s *scanner) here(i int) string {
	if i >= len(s.data) {
		return "end of input"
	}
	r, _ := utf8.DecodeRune(s.data[i:])
	return strconv.QuoteRune(r)
}

// err makes the error of a scan that failed. Names that come twice are looked for when an object ends; in one that did not
// end, such a name still comes before the error.
func (s *scanner) err() *SyntaxError {
	open := s.frames[1 : s.depth+1]
	depth := len(open)
	if !s.inValue {
		depth--
	}
	for i := range open {
		names := s.namesOf(open, i)
		if again := s.duplicate(names); again >= 0 {
			s.at, depth = int(names[again].from)-1, i
			s.reason = fmt.Sprintf("member %q comes twice", s.spelled(&names[again]))
			break
		}
	}
	path := make([]string, 0, max(depth, 0))
	for i := range depth {
		if open[i].shut == '}' {
			names := s.namesOf(open, i)
			path = append(path, string(s.spelled(&names[len(names)-1])))
		} else {
			path = append(path, strconv.Itoa(int(open[i].count)))
		}
	}
	before := s.data[:min(s.at, len(s.data))]
	return &SyntaxError{
		Line:   1 + bytes.Count(before, []byte{'\n'}),
		Column: len(before) - bytes.LastIndexByte(before, '\n'),
		Path:   Pointer(path...),
		Reason: s.reason,
	}
}

// namesOf returns the names so far of the object that is open[i], none of a list.
func (s *scanner) namesOf(open []frame, i int) []name {
	return s.names[open[i].names:][:open[i].count*isObject(open[i])]
}

func isObject(f frame) uint32 {
	if f.shut == '}' {
		return 1
	}
	return 0
}
