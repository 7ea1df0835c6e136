package object

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// name is a member name of an object that is being scanned.
type name struct {
	from, to uint32 // between the quotes
	print    uint32 // its fingerprint
	escaped  bool
}

// spelled returns the characters of a name. Those with escapes are written to memory that the next call uses again.
func (s *scanner) spelled(n *name) []byte { return s.spelledIn(&s.twice.text, n) }

func (s *scanner) spelledIn(text *[]byte, n *name) []byte {
	raw := s.data[n.from:n.to]
	if !n.escaped {
		return raw
	}
	*text = AppendUnescaped((*text)[:0], raw)
	return *text
}

// same reports whether two names say the same.
func (s *scanner) same(a, b *name) bool {
	s.compared++
	return bytes.Equal(s.spelledIn(&s.twice.text, a), s.spelledIn(&s.twice.other, b))
}

// fewNames is how many names are compared one by one.
const fewNames = 32

// duplicate returns the position among names of the first that was there before, -1 where there is none.
func (s *scanner) duplicate(names []name) int {
	if len(names) > fewNames {
		return s.duplicateOfMany(names)
	}
	// A bit for each name: where it is not set yet, nobody before had this fingerprint.
	var seen uint64
	alike := 0
	for i := range names {
		n := &names[i]
		if bit := uint64(1) << (n.print >> 26); seen&bit == 0 {
			seen |= bit
			continue
		}
		for j := range i {
			if names[j].print != n.print {
				continue
			}
			if s.same(&names[j], n) {
				return i
			}
			if alike++; alike == len(names) { // somebody chose them
				return s.duplicateOfMany(names)
			}
		}
	}
	return -1
}

// nameSet is a hash table of the names of one object, for objects of many: open addressing, at most half full.
type nameSet struct {
	seed  maphash.Seed
	slots []uint32 // positions among the names, from 1
	ready bool

	text, other []byte // names without their escapes
}

func (t *nameSet) small() bool {
	return cap(t.slots) <= 4*maxSpare && cap(t.text)+cap(t.other) <= 4*maxSpare
}

// reset makes room for n names and returns the mask that makes a slot of a hash. The hash is seeded, so that nobody can choose names that meet in one slot.
func (t *nameSet) reset(n int) (mask uint64) {
	if !t.ready {
		t.seed, t.ready = maphash.MakeSeed(), true
	}
	size := uint64(1) << bits.Len(uint(2*n))
	if uint64(cap(t.slots)) < size {
		t.slots = make([]uint32, size)
	} else {
		t.slots = t.slots[:size]
		clear(t.slots)
	}
	return size - 1
}

func (s *scanner) duplicateOfMany(names []name) int {
	t := &s.twice
	mask := t.reset(len(names))
	for i := range names {
		n := &names[i]
		at := maphash.Bytes(t.seed, s.spelled(n)) & mask
		for t.slots[at] != 0 {
			if other := &names[t.slots[at]-1]; other.print == n.print && s.same(other, n) {
				return i
			}
			at = (at + 1) & mask
		}
		t.slots[at] = place(i + 1)
	}
	return -1
}

// fingerprint mixes the length and the ends of a name: enough to tell most names of one object apart, and quick.
func fingerprint(b []byte) uint32 {
	n := len(b)
	var h uint64
	switch {
	case n >= 8:
		h = binary.LittleEndian.Uint64(b) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(b[n-8:]), 29)
	case n >= 4:
		h = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		h = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	return uint32((h ^ uint64(n)) * 0x9e3779b97f4a7c15 >> 32)
}

// AppendUnescaped appends what the inside of a valid JSON string means. A lone surrogate is U+FFFD, as encoding/json has it.
func AppendUnescaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return append(dst, raw...)
		}
		dst, raw = append(dst, raw[:at]...), raw[at+1:]
		c := raw[0]
		raw = raw[1:]
		switch c {
		case 'u':
			r := Hex4(raw[:4])
			raw = raw[4:]
			if utf16.IsSurrogate(r) {
				r, raw = surrogates(r, raw)
			}
			dst = utf8.AppendRune(dst, r)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		default: // a quote, a backslash, a solidus
			dst = append(dst, c)
		}
	}
	return dst
}

// surrogates returns the character that r begins together with the escape at the beginning of rest, and what follows.
func surrogates(r rune, rest []byte) (rune, []byte) {
	if len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if both := utf16.DecodeRune(r, Hex4(rest[2:6])); both != utf8.RuneError {
			return both, rest[6:]
		}
	}
	return utf8.RuneError, rest
}
