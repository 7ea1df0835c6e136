package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

const (
	module = "github.com/gesso-dev/gesso"
	// source is the folder of the types, below the checkout, and pkg their package.
	source = "api/v1alpha1"
	pkg    = module + "/" + source
)

// comments returns a function that says what the source says of a field, or else of its type.
func comments(root string, words map[string]vocabulary) (func(reflect.Type, string) string, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	if err := os.Chdir(root); err != nil { // the library takes the path that it is given for a part of the package's
		return nil, fmt.Errorf("read comments: %w", err)
	}
	var r jsonschema.Reflector
	err = r.AddGoComments(module, source, jsonschema.WithFullComment())
	if back := os.Chdir(here); err == nil {
		err = back
	}
	if err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	// What the API machinery says of these is written for another reader.
	meta := "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"
	r.CommentMap[meta] = "Who this Profile is. Gesso reads nothing in it."
	r.CommentMap[meta+".Name"] = "The name of the Profile, for people."
	for name, text := range r.CommentMap {
		r.CommentMap[name] = plain(text)
	}
	return func(t reflect.Type, name string) string {
		full := t.PkgPath() + "." + t.Name()
		field, found := t, true
		if name != "" {
			var f reflect.StructField
			if f, found = t.FieldByName(name); found {
				field = f.Type
			}
			full += "." + name
		}
		text := r.CommentMap[full]
		if text == "" && found {
			text = r.CommentMap[field.PkgPath()+"."+field.Name()]
		}
		if known, ok := words[field.Name()]; ok && field.PkgPath() == pkg {
			text += known.meaning()
		}
		return text
	}, nil
}

// plain is a comment without what only godoc reads: line breaks and links to names of the package.
func plain(text string) string {
	text = regexp.MustCompile(`\s*\(\[\w+\]\)`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`\[(\w+)\]`).ReplaceAllString(text, "$1")
	return strings.Join(strings.Fields(text), " ")
}

// vocabulary is the words that a type of strings stands for, in order, with what the source says of each.
type vocabulary struct{ words, meanings []string }

func (v vocabulary) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range v.words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// meaning lists the words that the source explains.
func (v vocabulary) meaning() string {
	var text strings.Builder
	for i, w := range v.words {
		if v.meanings[i] != "" {
			text.WriteString(" " + w + ": " + v.meanings[i] + ".")
		}
	}
	return text.String()
}

// constants returns the constants of every type of strings in a folder, by the name of the type.
func constants(folder string) (map[string]vocabulary, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("read constants: %w", err)
	}
	all := map[string]vocabulary{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read constants: %w", err)
		}
		for _, d := range f.Decls {
			if group, ok := d.(*ast.GenDecl); ok && group.Tok == token.CONST {
				collect(group, all)
			}
		}
	}
	return all, nil
}

// collect adds the constants of a group that name their type and are a string.
func collect(group *ast.GenDecl, all map[string]vocabulary) {
	for _, spec := range group.Specs {
		c, ok := spec.(*ast.ValueSpec)
		if !ok || len(c.Values) != 1 {
			continue
		}
		t, named := c.Type.(*ast.Ident)
		value, literal := c.Values[0].(*ast.BasicLit)
		if !named || !literal || value.Kind != token.STRING {
			continue
		}
		if word, err := strconv.Unquote(value.Value); err == nil {
			v := all[t.Name]
			v.words = append(v.words, word)
			v.meanings = append(v.meanings, strings.TrimSpace(c.Comment.Text()))
			all[t.Name] = v
		}
	}
}
