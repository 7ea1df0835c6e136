package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/gesso-dev/gesso/internal/object"
)

// document is one document of a file.
type document struct {
	number int    // counted from 1, empty ones not
	line   int    // the line in the file in which text begins, from 1
	text   []byte // from the first line with content on
}

// at says where the document begins: "document 2, line 14".
func (d document) at() string { return fmt.Sprintf("document %d, line %d", d.number, d.line) }

// documents splits a file into its documents. Those that are empty or hold only comments are left out.
func documents(data []byte) ([]document, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, errors.New("line 1: the file is UTF-16; save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors begin a file with a byte order mark
	if at := invalidUTF8(data); at >= 0 {
		return nil, fmt.Errorf("line %d: invalid UTF-8", lineAt(data, at))
	}
	if stream := jsonDocuments(data); stream != nil {
		return stream, nil
	}
	return yamlDocuments(data), nil
}

// invalidUTF8 returns the position of the first byte that is no UTF-8, -1 where there is none.
func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte{'\n'}) }

// jsonDocuments splits JSON values that follow each other, as jq and kubectl print them; nil for what is no such stream.
// What does not parse behind the first value is a document of its own, so that it is reported where it stands.
func jsonDocuments(data []byte) []document {
	var all []document
	decoder := json.NewDecoder(bytes.NewReader(data))
	for end := 0; ; {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return all
		}
		from := end + len(data[end:]) - len(bytes.TrimLeft(data[end:], " \t\r\n"))
		switch {
		case err == nil && value[0] == '{':
			end = int(decoder.InputOffset())
			all = append(all, document{number: len(all) + 1, line: lineAt(data, from), text: data[from:end]})
		case len(all) == 0 || bytes.HasPrefix(data[from:], []byte("---")):
			return nil
		default:
			return append(all, document{number: len(all) + 1, line: lineAt(data, from), text: data[from:]})
		}
	}
}

// yamlDocuments splits a YAML stream at its --- lines.
func yamlDocuments(data []byte) []document {
	var all []document
	start, line, from := 1, 1, 0
	flush := func(to int) {
		text := data[from:to]
		if blank(text) {
			return
		}
		for l := range bytes.Lines(text) {
			if !empty(l) {
				break
			}
			text, start = text[len(l):], start+1
		}
		all = append(all, document{number: len(all) + 1, line: start, text: text})
	}
	for at := 0; at < len(data); line++ {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if rest, found := bytes.CutPrefix(data[at:end], []byte("---")); found && (len(bytes.TrimSpace(rest)) == 0 || rest[0] == ' ' || rest[0] == '\t') {
			flush(at)
			// What follows the dashes on their line belongs to the next document; it starts here, so that lines count right.
			from, start = end, line+1
			if !empty(rest) {
				from, start = at+len("---"), line
			}
		}
		at = end
	}
	flush(len(data))
	return all
}

// blank reports whether text holds nothing but space, comments and directives.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		if !empty(line) && line[0] != '%' {
			return false
		}
	}
	return true
}

// empty reports whether a line holds no content.
func empty(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#' || string(line) == "..."
}

// json turns the document into strict JSON. What is JSON already stays as it is, byte for byte: numbers keep their spelling.
// Errors begin with the line in the file.
func (d document) json(mustBeJSON bool) ([]byte, error) {
	trimmed := bytes.TrimSpace(d.text)
	braced := len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[')
	if !braced && !mustBeJSON {
		return d.yaml()
	}
	_, err := object.Parse(d.text)
	if err == nil {
		return trimmed, nil
	}
	// {apiVersion: v1, kind: Pod} is YAML; {"apiVersion": … is meant as JSON.
	if inner := bytes.TrimSpace(trimmed[min(1, len(trimmed)):]); !mustBeJSON && !bytes.HasPrefix(inner, []byte{'"'}) {
		return d.yaml()
	}
	if raw, yamlErr := d.yaml(); yamlErr == nil && !mustBeJSON {
		return raw, nil // quoted names, but YAML otherwise: a comment, a trailing comma
	}
	if syntax, ok := errors.AsType[*object.SyntaxError](err); ok {
		syntax.Line += d.line - 1
	}
	return nil, err
}

// named names a file in messages.
func named(file string) string {
	if file == "-" {
		return "standard input"
	}
	return strings.TrimPrefix(file, "./")
}
