package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/internal/txtest"
)

// TestReadObjects holds what a txtar file cannot: line ends, byte order marks and bytes that are no text.
func TestReadObjects(t *testing.T) {
	const one, two = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n"
	crlf := strings.NewReplacer("\n", "\r\n")
	for name, tc := range map[string]struct {
		file, data string
		want       []string // source name
		wantErr    string
	}{
		"CRLF":                     {"a.yaml", crlf.Replace("---\n" + one + "--- # next\n" + two + "---\n# end\n"), []string{"a.yaml#1 one", "a.yaml#2 two"}, ""},
		"a byte order mark":        {"a.yaml", "\ufeff" + one + "---\n" + two, []string{"a.yaml#1 one", "a.yaml#2 two"}, ""},
		"one before the dashes":    {"a.yaml", "\ufeff---\n" + one, []string{"a.yaml#1 one"}, ""},
		"one before JSON":          {"a.json", "\ufeff" + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"}}`, []string{"a.json#1 one"}, ""},
		"UTF-16":                   {"a.yaml", "\xff\xfea\x00", nil, "a.yaml: line 1: the file is UTF-16; save it as UTF-8"},
		"invalid UTF-8":            {"a.yaml", one + "# \xff\n", nil, "a.yaml: line 5: invalid UTF-8"},
		"invalid UTF-8 in JSON":    {"a.json", "{\n\"a\":\"\xc3\x28\"}", nil, "a.json: line 2: invalid UTF-8"},
		"no newline at the end":    {"a.yaml", one + "---\n" + strings.TrimSpace(two), []string{"a.yaml#1 one", "a.yaml#2 two"}, ""},
		"dashes at the very end":   {"a.yaml", one + "---", []string{"a.yaml#1 one"}, ""},
		"a directive":              {"a.yaml", "%YAML 1.1\n---\n" + one, []string{"a.yaml#1 one"}, ""},
		"dashes inside a text":     {"a.yaml", one + "data:\n  a: |\n    ---\n    x\n---\n" + two, []string{"a.yaml#1 one", "a.yaml#2 two"}, ""},
		"more than three dashes":   {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, labels: {a: b}}\n", []string{"a.yaml#1 one"}, ""},
		"YAML in braces":           {"a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}", []string{"a.yaml#1 one"}, ""},
		"JSON with YAML's licence": {"a.yaml", "{\"apiVersion\": \"v1\", # so\n \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"one\",},}", []string{"a.yaml#1 one"}, ""},
		"but not in a .json file":  {"a.json", "{\"apiVersion\": \"v1\",\n \"kind\": \"ConfigMap\",}", nil, "a.json: line 2, column 22: unexpected '}' where a member name should begin"},
		"JSON behind dashes":       {"-", "---\n{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"}}\n---\n" + two, []string{"-#1 one", "-#2 two"}, ""},
		"JSON, then YAML":          {"-", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"}}\n---\n" + two, []string{"-#1 one", "-#2 two"}, ""},
		"a line in a late document": {
			"a.yaml", one + "---\n" + two + "---\n# three\n{\"apiVersion\":\"v1\",\n\"kind\":]}", nil,
			"a.yaml: line 13, column 8: at /kind: unexpected ']' where a value should begin",
		},
		"yes and on are one key":        {"a.yaml", one + "data:\n  yes: a\n  on: b\n", nil, `a.yaml: line 7: key "on" comes twice, first in line 6`},
		"a duplicate beside a merge":    {"a.yaml", one + "x: &x {a: 1}\ny1:\n  <<: *x\n  b: 1\n  b: 2\n", nil, `a.yaml: line 9: key "b" comes twice, first in line 8`},
		"a null document":               {"a.yaml", "null\n", nil, "a.yaml: document 1, line 1: not a Kubernetes object: null, want an object"},
		"a List whose items are null":   {"a.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems: null\n", nil, ""},
		"a kind that ends in List":      {"a.yaml", "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: one}\nspec: {items: []}\n", []string{"a.yaml#1 one"}, ""},
		"NUL":                           {"a.yaml", "a: \x00\n", nil, "a.yaml: control characters are not allowed"},
		"too deep":                      {"a.json", strings.Repeat("[", 2000), nil, "a.json: line 1, column 1001: at " + strings.Repeat("/0", 100) + "…: nested deeper than 1000 levels"},
		"infinity, which JSON has not":  {"a.yaml", one + "x: .inf\n", nil, "a.yaml: json: unsupported value: +Inf"},
		"an alias of nothing":           {"a.yaml", one + "x: *nobody\n", nil, "a.yaml: unknown anchor 'nobody' referenced"},
		"a key that is no text":         {"a.yaml", one + "data:\n  1: a\n", []string{"a.yaml#1 one"}, ""},
		"a key that is a list":          {"a.yaml", one + "data:\n  [a]: b\n", nil, "a.yaml: invalid map key: []interface {}{\"a\"}"},
		"tabs between and behind words": {"a.yaml", "apiVersion:\tv1\t# x\nkind: ConfigMap\nmetadata: {name: one}\n", []string{"a.yaml#1 one"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := readObjects(tc.file, []byte(tc.data))
			var got []string
			for _, o := range objects {
				got = append(got, o.source+" "+o.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if text := message(err); text != tc.wantErr {
				t.Errorf("got error  %s\nwant error %s", text, tc.wantErr)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestReadPath holds what depends on the file system.
func TestReadPath(t *testing.T) {
	const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n"
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "deploy/a.yaml", []byte(manifest))
	write(t, "deploy/b.txt", []byte("nothing"))
	write(t, "other/b.yaml", []byte(manifest))
	for _, link := range [][2]string{
		{"deploy", "link"}, {filepath.Join(dir, "other", "b.yaml"), "deploy/c.yaml"}, {"loop.yaml", "loop.yaml"}, {"nowhere", "deploy/broken.txt"},
	} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Skip(err)
		}
	}
	write(t, "broken/a.yaml", []byte(manifest))
	if err := os.Symlink("loop.yaml", "broken/loop.yaml"); err != nil {
		t.Skip(err)
	}
	for path, tc := range map[string]struct {
		want    []string
		wantErr string
	}{
		"deploy":        {[]string{"deploy/a.yaml#1", "deploy/c.yaml#1"}, ""},
		"./deploy/":     {[]string{"deploy/a.yaml#1", "deploy/c.yaml#1"}, ""},
		"link":          {[]string{"link/a.yaml#1", "link/c.yaml#1"}, ""},
		"deploy/a.yaml": {[]string{"deploy/a.yaml#1"}, ""},
		"loop.yaml":     {nil, "loop.yaml: too many levels of symbolic links"},
		"deploy/a.yaml/b.yaml": {
			nil, "deploy/a.yaml/b.yaml: not a directory",
		},
		"broken":  {nil, "broken/loop.yaml: too many levels of symbolic links"},
		"nowhere": {nil, "nowhere: no such file or directory"},
	} {
		t.Run(path, func(t *testing.T) {
			in := &input{}
			objects, err := in.read(path)
			var got []string
			for _, o := range objects {
				got = append(got, o.source)
			}
			if err == nil {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("objects (-want +got):\n%s", diff)
				}
			}
			if text := message(err); text != tc.wantErr {
				t.Errorf("got error  %s\nwant error %s", text, tc.wantErr)
			}
		})
	}
}

// TestUnreadable: a file that may not be read is an error, not an empty one.
func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	t.Chdir(t.TempDir())
	write(t, "a.yaml", []byte("a: 1\n"))
	if err := os.Chmod("a.yaml", 0); err != nil {
		t.Fatal(err)
	}
	got := gesso(t, "", "review", "-f", "a.yaml")
	if got.code != exitError || got.stdout != "" || got.stderr != "gesso: a.yaml: permission denied\n" {
		t.Errorf("got %+v", got)
	}
}

// failing is a stdin that breaks.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the pipe broke") }

func TestReadStdinFails(t *testing.T) {
	in := &input{stdin: failing{}}
	if _, err := in.read("-"); message(err) != "read standard input: the pipe broke" {
		t.Errorf("got %v", err)
	}
}

// FuzzReadObjects: whatever bytes a file holds, reading it never panics; it gives objects that are JSON, or one line that
// begins with the file.
func FuzzReadObjects(f *testing.F) {
	for _, section := range []string{"a.yaml", "a.json", "stdin", "pod.yaml", "list.yaml"} {
		for _, s := range txtest.Sections(f, scripts, section, 1) {
			f.Add(s.Data)
		}
	}
	f.Add([]byte("\xef\xbb\xbf--- !!binary x\r\n...\n%TAG ! x\n---\t{}\n<<: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, file := range []string{"a.yaml", "a.json", "-"} {
			objects, err := readObjects(file, data)
			if err != nil {
				text := err.Error()
				if !strings.HasPrefix(text, named(file)+": ") || strings.ContainsAny(text, "\n\r") {
					t.Errorf("error %q", text)
				}
				if len(objects) > 0 {
					t.Errorf("an error and %d objects", len(objects))
				}
			}
			for _, o := range objects {
				if !json.Valid(o.Root.Bytes()) || o.Kind == "" || !strings.HasPrefix(o.source, file+"#") {
					t.Errorf("%s: %q is no object", o.source, o.Root.Bytes())
				}
			}
		}
	})
}
