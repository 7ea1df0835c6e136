package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/internal/object"
)

// inputObject is one object that was read, and where.
type inputObject struct {
	*object.Object
	source string // "file#document", with ".items[i]" for an element of a List
}

// errNoObject says that a document is not a Kubernetes object but something else in readable YAML.
var errNoObject = errors.New("no Kubernetes object")

// readInput reads all objects at path: a file, a directory (walked in the order of names, only .yaml, .yml and .json), or
// "-" for stdin. note is told of files of a directory that hold no object.
func readInput(path string, stdin io.Reader, note func(string)) ([]inputObject, error) {
	if path == "-" {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return readObjects("-", data)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read input: %w", err)
		}
		return readObjects(path, data)
	}
	var all []inputObject
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read input: %w", err)
		}
		if info, err := os.Stat(file); err != nil || info.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)) {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read input: %w", err)
		}
		objects, err := readObjects(file, data)
		if errors.Is(err, errNoObject) {
			note(fmt.Sprintf("%v; skipped", err))
			return nil
		}
		all = append(all, objects...)
		return err
	})
	return all, err
}

// readObjects reads the objects of one file. Errors name the file, the line and the reason; one that wraps errNoObject
// means that nothing in the file even looks like an object.
func readObjects(file string, data []byte) ([]inputObject, error) {
	var all []inputObject
	var strange error // the first document that is no object
	docs := documents(data)
	for _, doc := range docs {
		source := fmt.Sprintf("%s#%d", file, doc.number)
		raw, err := toJSON(doc, filepath.Ext(file) == ".json")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		root, err := object.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", file, doc.number, err)
		}
		if err := flatten(root, source, &all); err != nil {
			err = fmt.Errorf("%s: document %d, line %d: %w", file, doc.number, doc.line, err)
			if strange == nil {
				strange = err
			}
		}
	}
	if len(all) == 0 {
		if strange != nil {
			return nil, fmt.Errorf("%w: %w", strange, errNoObject)
		}
		return nil, fmt.Errorf("%s: the file is empty: %w", file, errNoObject)
	}
	return all, strange
}

// flatten adds the object at root to all, or the objects in it if it is a List.
func flatten(root *object.Node, source string, all *[]inputObject) error {
	o, err := object.Of(root)
	if err != nil {
		return err
	}
	items := root.Get("items")
	if !strings.HasSuffix(o.Kind, "List") || items.Type() != object.Array {
		*all = append(*all, inputObject{o, source})
		return nil
	}
	for i, item := range items.Elements() {
		where := fmt.Sprintf("%s.items[%d]", source, i)
		if err := flatten(item, where, all); err != nil {
			return fmt.Errorf("items[%d]: %w", i, err)
		}
	}
	return nil
}

// toJSON turns a document into strict JSON. A JSON file stays as it is, byte for byte.
func toJSON(doc document, isJSON bool) ([]byte, error) {
	if isJSON {
		if _, err := object.Parse(doc.text); err != nil {
			var syntax *object.SyntaxError
			if errors.As(err, &syntax) {
				syntax.Line += doc.line - 1
			}
			return nil, err
		}
		return doc.text, nil
	}
	raw, err := yaml.YAMLToJSONStrict(doc.text)
	if err != nil {
		return nil, errors.New(shiftLines(oneLine(err).Error(), doc.line-1))
	}
	return raw, nil
}

// shiftLines adds offset to every line number in a message of the YAML library, which counts from the start of the document.
func shiftLines(message string, offset int) string {
	return regexp.MustCompile(`line \d+`).ReplaceAllStringFunc(message, func(s string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(s, "line "))
		if err != nil {
			return s
		}
		return fmt.Sprintf("line %d", n+offset)
	})
}
