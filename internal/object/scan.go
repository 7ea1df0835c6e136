package object

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a hostile document cannot exhaust the stack. Kubernetes objects stay far below it:
// the deepest of the built-in API types nests about 30 levels.
const maxDepth = 1000

// Scan reads one JSON value and nothing after it. It is strict where encoding/json is lenient: a member name that
// comes twice and invalid UTF-8 are errors, because two readers of one document must never see two objects.
// Errors are of type *[SyntaxError].
//
// The whole document is checked, but its nodes come into being when they are asked for, one level at a time: what nobody
// looks at costs no memory. Reading therefore changes the tree: it must not be read by two goroutines at once, nor by one while
// another clones it. A clone is a tree of its own. What is shared or outlives a request comes from [Parse].
//
// The nodes refer to data, which must not be modified while they are in use, and so do the bytes that [Node.Bytes] returns. The
// strings that they return are copies.
func Scan(data []byte) (*Node, error) { return new(Reader).Scan(data) }

// Reader scans one document after the other, each in the memory of the one before. The zero value is ready to be used.
type Reader struct {
	root Node
	doc  document
}

// Scan is [Scan] but for its memory: with it ends what the Reader scanned before. None of those nodes, nor a clone of one, may be
// used any more; strings may.
func (r *Reader) Scan(data []byte) (*Node, error) {
	s := newScanner(data)
	defer s.free()
	if !s.scan() {
		return nil, s.err()
	}
	r.root = Node{typ: types[data[s.from]], raw: data[s.from:s.to:s.to]}
	switch kept := r.doc.entries; {
	case len(s.entries) == 0: // neither a list nor an object
		return &r.root, nil
	case len(s.entries) > maxSpare: // free would throw them away
		r.doc.entries, s.entries = s.entries, nil
	case cap(kept) < len(s.entries) || cap(kept) > maxSpare:
		r.doc.entries = append(make([]entry, 0, len(s.entries)), s.entries...)
	default:
		r.doc.entries = append(kept[:0], s.entries...)
	}
	r.root.doc = &r.doc
	return &r.root, nil
}

// entry is what the structural index holds about one list or object, in document order. The entries of what is inside
// follow it, so that all of a value can be passed over at once.
type entry struct {
	size  uint32 // in bytes, brackets included
	next  uint32 // the entry after all that is inside
	count uint32 // of the members or elements
}

// document is the index of a scanned document. It is never written to: nodes and their clones share it.
type document struct{ entries []entry }

// scanner goes over a document once. Its memory is used again for the next one.
type scanner struct {
	data     []byte
	entries  []entry
	frames   [maxDepth + 1]frame // the open lists and objects, from 1; 0 is what is around the document
	depth    int                 // of the innermost
	names    []name              // of the open objects, those of the innermost at the end
	values   int                 // members and elements so far closed
	members  int                 // of them, members
	from, to int                 // the value of the document
	twice    nameSet
	compared int // how often two names were, which tests count

	// The error: where, what, and whether it lies in a value of the innermost list or object or in that itself.
	at      int
	inValue bool
	reason  string
}

// frame is a list or object that is open.
type frame struct {
	from  uint32 // of its bracket
	entry uint32
	names uint32 // where its names begin
	count uint32 // elements that are complete, or member names
	shut  byte   // the bracket that closes it
}

// place is a position or a number of things in a document, none of which is longer than fits: scan refuses it.
func place(i int) uint32 { return uint32(i) } //nolint:gosec // see above

// spares keeps what scanners allocate between documents.
var spares = sync.Pool{New: func() any { return new(scanner) }} //nolint:gochecknoglobals // memory to use again, no state

// maxSpare bounds what is kept: one huge document must not hold its memory for good.
const maxSpare = 1 << 16

func newScanner(data []byte) *scanner {
	s, ok := spares.Get().(*scanner)
	if !ok {
		s = new(scanner)
	}
	s.data, s.entries, s.names = data, s.entries[:0], s.names[:0]
	s.depth, s.values, s.members = 0, 0, 0
	return s
}

func (s *scanner) free() {
	s.data = nil
	if cap(s.entries) <= maxSpare && cap(s.names) <= maxSpare && s.twice.small() {
		spares.Put(s)
	}
}

// types says what a value is by its first byte: nothing, where none begins with it.
var types = [256]Type{ //nolint:gochecknoglobals // a table that is never written to
	'"': String, '{': Map, '[': Array, 't': Bool, 'f': Bool, 'n': Null, '-': Number,
	'0': Number, '1': Number, '2': Number, '3': Number, '4': Number, '5': Number, '6': Number, '7': Number, '8': Number, '9': Number,
}

// scan checks the document and makes the index. It returns false where there is an error.
func (s *scanner) scan() bool {
	if uint64(len(s.data)) > math.MaxUint32 {
		s.fail(0, false, "longer than 4 GiB")
		return false
	}
	i := space(s.data, 0)
	s.from = i
	for i >= 0 {
		var open bool
		if i, open = s.value(i); open {
			continue // at its first element
		}
		if i = s.after(i); i == done {
			return true
		}
	}
	return false
}

// What scanning functions return in place of a position.
const (
	failed = -1
	done   = -2
)

// value reads the value that begins at i, up to its end, or up to the first value within a list or object.
func (s *scanner) value(i int) (next int, open bool) {
	if i >= len(s.data) {
		return s.fail(i, true, "unexpected end of input"), false
	}
	switch types[s.data[i]] {
	case String:
		i, _ = s.text(i, true)
		return i, false
	case Map, Array:
		return s.open(i)
	case Number:
		return s.number(i), false
	case Bool, Null:
		for _, word := range [...]string{"true", "false", "null"} {
			if end := i + len(word); end <= len(s.data) && string(s.data[i:end]) == word {
				return end, false
			}
		}
	case Absent:
	}
	return s.fail(i, true, "unexpected "+s.here(i)+" where a value should begin"), false
}

// open reads the bracket at i. open is false for one that is closed at once.
func (s *scanner) open(i int) (next int, open bool) {
	if s.depth == maxDepth {
		return s.fail(i, true, fmt.Sprintf("nested deeper than %d levels", maxDepth)), false
	}
	c := s.data[i]
	s.depth++
	f := &s.frames[s.depth]
	f.from, f.entry, f.names, f.count = place(i), place(len(s.entries)), place(len(s.names)), 0
	f.shut = c + 2 // in ASCII, brackets are two apart
	s.entries = append(s.entries, entry{})
	i = space(s.data, i+1)
	switch {
	case i < len(s.data) && s.data[i] == f.shut:
		return s.shut(i), false
	case c == '{':
		i = s.member(i)
		return i, i >= 0
	}
	return i, true
}

// shut reads the bracket at i that closes the innermost list or object.
func (s *scanner) shut(i int) int {
	f := &s.frames[s.depth]
	if f.shut == '}' {
		if f.count > 1 && s.duplicate(s.names[f.names:]) >= 0 {
			return s.fail(i, false, "") // err finds it again
		}
		s.names = s.names[:f.names]
		s.members += int(f.count)
	}
	s.values += int(f.count)
	s.entries[f.entry] = entry{size: place(i+1) - f.from, next: place(len(s.entries)), count: f.count}
	s.depth--
	return i + 1
}

// after reads what follows a value that ends at i, up to the next value.
func (s *scanner) after(i int) int {
	for i >= 0 {
		f := &s.frames[s.depth]
		if f.shut == ']' {
			f.count++
		}
		end := i
		i = space(s.data, i)
		switch {
		case s.depth == 0:
			if s.to = end; i < len(s.data) {
				return s.fail(i, false, "unexpected "+s.here(i)+" after the end of the value")
			}
			return done
		case i < len(s.data) && s.data[i] == ',':
			i = space(s.data, i+1)
			if f.shut == '}' {
				return s.member(i)
			}
			return i
		case i < len(s.data) && s.data[i] == f.shut:
			i = s.shut(i)
		case f.shut == '}':
			return s.fail(i, false, "unexpected "+s.here(i)+" in an object, want ',' or '}'")
		default:
			return s.fail(i, false, "unexpected "+s.here(i)+" in a list, want ',' or ']'")
		}
	}
	return i
}

// member reads a member name at i and the colon, up to the value.
func (s *scanner) member(i int) int {
	if i >= len(s.data) || s.data[i] != '"' {
		return s.fail(i, false, "unexpected "+s.here(i)+" where a member name should begin")
	}
	end, escaped := s.text(i, false)
	if end < 0 {
		return end
	}
	spelled := s.data[i+1 : end-1]
	if escaped {
		s.twice.text = AppendUnescaped(s.twice.text[:0], spelled)
		spelled = s.twice.text
	}
	s.names = append(s.names, name{from: place(i + 1), to: place(end - 1), print: fingerprint(spelled), escaped: escaped})
	s.frames[s.depth].count++
	if i = space(s.data, end); i >= len(s.data) || s.data[i] != ':' {
		return s.fail(i, false, fmt.Sprintf("unexpected %s after member name %q, want ':'", s.here(i), spelled))
	}
	return space(s.data, i+1)
}

// space returns the position after the blanks at i.
func space(data []byte, i int) int {
	if i < len(data) && data[i] > ' ' {
		return i
	}
	return blanks(data, i)
}

func blanks(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// The bytes of a word, for eight of them at once.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text returns the end of the string that begins at i, and whether there are escapes in it. It checks both and the characters.
func (s *scanner) text(i int, inValue bool) (end int, escaped bool) {
	data := s.data
	for i++; ; {
		for i+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i:])
			// The lowest bit that is set marks the first byte that is a quote, a backslash, below a blank, or beyond ASCII: each
			// subtraction borrows from the next byte only where it marks its own, and one of the first two keeps the high bit.
			quote, backslash := w^ones*'"', w^ones*'\\'
			stop := ((quote - ones) | (backslash - ones) | (w - ones*' ')) & highs
			if stop != 0 {
				i += bits.TrailingZeros64(stop) / 8
				break
			}
			i += 8
		}
		if i >= len(data) {
			return s.fail(len(data), inValue, "unexpected end of input in a string"), false
		}
		switch c := data[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = s.escape(i, inValue); i < 0 {
				return i, true
			}
		case c < ' ':
			return s.fail(i, inValue, fmt.Sprintf("control character %q in a string", c)), false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				return s.fail(i, inValue, "invalid UTF-8 in a string"), false
			}
			i += size
		}
	}
}

// escape returns the end of the escape at i.
func (s *scanner) escape(i int, inValue bool) int {
	rest := s.data[i+1:]
	if len(rest) == 0 {
		return s.fail(i, inValue, "unexpected end of input in a string")
	}
	switch rest[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if len(rest) < 5 || Hex4(rest[1:5]) < 0 {
			return s.fail(i, inValue, `\u must be followed by four hexadecimal digits`)
		}
		return i + 6
	}
	return s.fail(i, inValue, fmt.Sprintf("unknown escape \\%c in a string", rest[0]))
}

// Hex4 is the value of four hexadecimal digits, -1 where they are none.
func Hex4(b []byte) rune {
	var r rune
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// number returns the end of the number that begins at i, in the grammar of RFC 8259, section 6.
func (s *scanner) number(i int) int {
	data := s.data
	if data[i] == '-' {
		i++
	}
	whole := digits(data, i)
	if i < len(data) && data[i] == '0' {
		whole = i + 1
	}
	if whole == i {
		return s.fail(i, true, "unexpected "+s.here(i)+" in a number")
	}
	i = whole
	if i < len(data) && data[i] == '.' {
		if i = digits(data, i+1); data[i-1] == '.' {
			return s.fail(i, true, "unexpected "+s.here(i)+" in a number")
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		if i = s.exponent(i + 1); i < 0 {
			return i
		}
	}
	if i < len(data) && data[i]-'0' <= 9 {
		return s.fail(i, true, "a number must not begin with 0")
	}
	return i
}

// exponent returns the end of the exponent of which the digits or a sign stand at i.
func (s *scanner) exponent(i int) int {
	if i < len(s.data) && (s.data[i] == '+' || s.data[i] == '-') {
		i++
	}
	end := digits(s.data, i)
	if end == i {
		return s.fail(i, true, "unexpected "+s.here(i)+" in a number")
	}
	return end
}

func digits(data []byte, i int) int {
	for i < len(data) && data[i]-'0' <= 9 {
		i++
	}
	return i
}
