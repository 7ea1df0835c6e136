package record

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// The record as it is stored: JSON with all members sorted, without what is empty.
//
//	{"base":…,"containers":{<name>:{<path>:<hash>,…},…},"initContainers":{…},"object":{…},"origin":…,"pod":{…},"template":{…}}

// document is the record as anybody may have written it.
type document struct {
	Base           string                       `json:"base"`
	Containers     map[string]map[string]string `json:"containers"`
	InitContainers map[string]map[string]string `json:"initContainers"`
	Object         map[string]string            `json:"object"`
	Origin         string                       `json:"origin"`
	Pod            map[string]string            `json:"pod"`
	Template       map[string]string            `json:"template"`
}

// ErrTooLarge is the error of a record of more than [MaxSize].
var ErrTooLarge = fmt.Errorf("more than %d bytes", MaxSize)

// Parse reads a record. Entries that are on no path of the families are left out.
func Parse(text string) (*Record, error) {
	if len(text) > MaxSize {
		return nil, ErrTooLarge
	}
	if r := scan(text); r != nil {
		return r, nil
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
	r.readAll(d.Template, "metadata")
	r.readAll(d.Pod, "spec")
	for name, entries := range d.Containers {
		r.readAll(entries, "spec", "containers", name)
	}
	for name, entries := range d.InitContainers {
		r.readAll(entries, "spec", "initContainers", name)
	}
	r.readAll(d.Object, objectSection)
	r.sorted()
	return r, nil
}

func (r *Record) readAll(entries map[string]string, under ...string) {
	for text, hash := range entries {
		r.read(text, hash, under...)
	}
}

// read enters what is written of a leaf below under, if that is on a path of the families.
func (r *Record) read(text, hash string, under ...string) {
	var buf [12]string
	if path, ok := parsePath(text, append(buf[:0], under...)); ok && inFamilies(path) {
		r.enter(path, hash)
	}
}

// scan reads a record in the form in which [Record.String] writes it, with no escapes; nil for everything else.
func scan(text string) *Record {
	s := scanner{rest: text}
	r := New()
	last := ""
	ok := s.object(func(name string) bool {
		if name <= last { // once, and in order
			return false
		}
		last = name
		switch name {
		case "base":
			r.Base = s.str()
			return !s.failed
		case "origin":
			r.Origin = s.str()
			return !s.failed
		case "containers", "initContainers":
			return s.containers(r, name)
		case "object":
			return s.section(r, objectSection)
		case "pod":
			return s.section(r, "spec")
		case "template":
			return s.section(r, "metadata")
		}
		return false
	})
	if !ok || s.failed || s.rest != "" {
		return nil
	}
	r.sorted()
	return r
}

type scanner struct {
	rest   string
	failed bool
}

func (s *scanner) containers(r *Record, list string) bool {
	last := ""
	return s.object(func(name string) bool {
		if name <= last {
			return false
		}
		last = name
		return s.section(r, "spec", list, name)
	})
}

func (s *scanner) section(r *Record, under ...string) bool {
	last := ""
	return s.object(func(text string) bool {
		if text <= last {
			return false
		}
		last = text
		hash := s.str()
		r.read(text, hash, under...)
		return !s.failed
	})
}

// object reads an object that is not empty; member reads the value of each member.
func (s *scanner) object(member func(name string) bool) bool {
	if !s.take('{') {
		return false
	}
	for {
		name := s.str()
		if !s.take(':') || !member(name) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) take(c byte) bool {
	if s.failed || s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// str reads a string that says what it means.
func (s *scanner) str() string {
	if !s.take('"') {
		s.failed = true
		return ""
	}
	for i := range len(s.rest) {
		switch c := s.rest[i]; {
		case c == '"':
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text
		case c < ' ' || c > '~' || c == '\\':
			s.failed = true
			return ""
		}
	}
	s.failed = true
	return ""
}

// line is an entry as it is stored.
type line struct {
	section   int // position among the members of the document
	container string
	path      string
	hash      string
	at        int
}

// The members of the document in their order.
const (
	containersSection = iota
	initContainersSection
	objectFields
	origin
	podSection
	templateSection
)

// lines returns the entries in the order in which they are stored.
func (r *Record) lines() []line {
	all := make([]line, 0, len(r.entries))
	var text strings.Builder
	text.Grow(48 * len(r.entries))
	var buf [128]byte
	for _, e := range r.entries { // in any order: they are sorted otherwise here
		l, path := line{section: podSection, hash: e.hash, at: e.at}, e.path[1:]
		switch {
		case e.path[0] == objectSection:
			l.section = objectFields
		case e.path[0] == "metadata":
			l.section = templateSection
		case len(e.path) > 3 && e.path[1] == "containers":
			l.section, l.container, path = containersSection, e.path[2], e.path[3:]
		case len(e.path) > 3 && e.path[1] == "initContainers":
			l.section, l.container, path = initContainersSection, e.path[2], e.path[3:]
		}
		at := text.Len()
		text.Write(appendPath(buf[:0], path))
		l.path = text.String()[at:]
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b line) int {
		if a.section != b.section {
			return cmp.Compare(a.section, b.section)
		}
		return cmp.Or(strings.Compare(a.container, b.container), strings.Compare(a.path, b.path), cmp.Compare(b.at, a.at))
	})
	return slices.CompactFunc(all, func(a, b line) bool {
		return a.section == b.section && a.container == b.container && a.path == b.path
	})
}

// String returns r as it is stored.
func (r *Record) String() string {
	lines := r.lines()
	b := make([]byte, 0, 64+64*len(lines))
	b = append(b, '{')
	if r.Base != "" {
		b = object.AppendQuote(append(b, `"base":`...), r.Base)
	}
	for section, name := range [...]string{"containers", "initContainers", "object", "origin", "pod", "template"} {
		if section == origin {
			if r.Origin != "" {
				b = object.AppendQuote(appendName(b, name), r.Origin)
			}
			continue
		}
		end := 0
		for end < len(lines) && lines[end].section == section {
			end++
		}
		if end > 0 {
			b = appendLines(appendName(b, name), lines[:end])
			lines = lines[end:]
		}
	}
	return string(append(b, '}'))
}

// appendName appends the name of a member, after a comma where it is not the first.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(object.AppendQuote(b, name), ':')
}

// appendLines appends the lines of one section.
func appendLines(b []byte, lines []line) []byte {
	nested := lines[0].section <= initContainersSection
	b = append(b, '{')
	for i, l := range lines {
		if nested && (i == 0 || lines[i-1].container != l.container) {
			if i > 0 {
				b = append(b, '}')
			}
			b = append(appendName(b, l.container), '{')
		}
		b = object.AppendQuote(appendName(b, l.path), l.hash)
	}
	if nested {
		b = append(b, '}')
	}
	return append(b, '}')
}
