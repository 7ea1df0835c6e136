package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// inputObject is one object that was read, and where.
type inputObject struct {
	*object.Object
	source string // "file#document"
}

// noObjectError says that a file is readable, but that nothing in it even looks like a Kubernetes object.
type noObjectError struct{ file, reason string }

func (e *noObjectError) Error() string { return e.file + ": " + e.reason }

// input reads what the flags name. Notes are kept until everything has been read: an error comes alone.
type input struct {
	stdin io.Reader
	notes []string
}

func (in *input) note(format string, args ...any) {
	in.notes = append(in.notes, fmt.Sprintf(format, args...))
}

// read reads all objects at path: a file, a directory (walked in the order of names, only .yaml, .yml and .json), or "-"
// for stdin.
func (in *input) read(path string) ([]inputObject, error) {
	if path == "-" {
		if in.stdin == nil {
			return nil, errors.New("standard input can be read only once: give - only once")
		}
		data, err := io.ReadAll(in.stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		in.stdin = nil
		return readObjects("-", data)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if info.IsDir() {
		return in.readDir(path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return readObjects(path, data)
}

func (in *input) readDir(dir string) ([]inputObject, error) {
	var all []inputObject
	// Walked as a file system and not by path, because dir itself may be a symbolic link.
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil {
			return fileError(path, err)
		}
		if d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) {
			return nil
		}
		if info, err := os.Stat(path); err != nil {
			return fileError(path, err)
		} else if info.IsDir() { // a link to a directory
			in.note("%s: a link to a directory is not followed; give it by -f", path)
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fileError(path, err)
		}
		objects, err := readObjects(path, data)
		if _, ok := errors.AsType[*noObjectError](err); ok {
			in.note("%s: no Kubernetes object in it; skipped", path)
			return nil
		}
		all = append(all, objects...)
		return err
	})
	if err == nil && len(all) == 0 {
		// Most likely not the directory that was meant; that all is well with nothing is no answer.
		err = fmt.Errorf("%s: no Kubernetes object in this directory; files that end in .yaml, .yml or .json are read", dir)
	}
	return all, err
}

// fileError names the file once, and not the system call.
func fileError(path string, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// readObjects reads the objects of one file. Errors name the file, the line and the reason; a *noObjectError means that nothing
// in the file even looks like an object.
func readObjects(file string, data []byte) ([]inputObject, error) {
	docs, err := documents(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", named(file), err)
	}
	all := []inputObject{}
	strange := "" // the first document that is no object
	objects := 0
	for _, doc := range docs {
		raw, err := doc.json(filepath.Ext(file) == ".json")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", named(file), err)
		}
		root, err := object.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", named(file), doc.at(), err)
		}
		if err := flatten(root, fmt.Sprintf("%s#%d", file, doc.number), &all); err == nil {
			objects++
		} else if strange == "" {
			strange = fmt.Sprintf("%s: %v", doc.at(), err)
		}
	}
	switch {
	case len(docs) == 0:
		return nil, &noObjectError{named(file), "there is nothing in it"}
	case objects == 0:
		return nil, &noObjectError{named(file), strange}
	case strange != "":
		return nil, fmt.Errorf("%s: %s", named(file), strange)
	}
	return all, nil
}

// flatten adds the object at root to all, or the objects in it if it is a List.
func flatten(root *object.Node, source string, all *[]inputObject) error {
	o, err := object.Of(root)
	if err != nil {
		return err
	}
	items := root.Get("items")
	if !strings.HasSuffix(o.Kind, "List") || items.Type() != object.Array && items.Type() != object.Null {
		*all = append(*all, inputObject{o, source})
		return nil
	}
	for i, item := range items.Elements() {
		if err := flatten(item, source, all); err != nil {
			return fmt.Errorf("items[%d]: %w", i, err)
		}
	}
	return nil
}
