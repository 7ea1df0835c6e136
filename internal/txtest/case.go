package txtest

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// A Case is one archive during its subtest. It belongs to the goroutine of that subtest.
type Case struct {
	t       testing.TB
	path    string
	archive *txtar.Archive
	asked   map[string]bool
	wanted  map[string][]byte
}

// File returns the section called name and ends the test when there is none.
func (c *Case) File(name string) []byte {
	c.t.Helper()
	data, ok := c.Optional(name)
	if !ok {
		c.t.Fatalf("%s: has no section %q; its sections are %q", c.path, name, c.sections())
	}
	return data
}

// Optional returns the section called name, and whether there is one.
func (c *Case) Optional(name string) ([]byte, bool) {
	c.asked[name] = true
	i := c.index(name)
	if i < 0 {
		return nil, false
	}
	return bytes.Clone(c.archive.Files[i].Data), true
}

// Want compares got with the section called name and reports the difference; the test goes on. With -update the section
// becomes got.
func (c *Case) Want(name string, got []byte) {
	c.t.Helper()
	got = withNewline(got)
	if before, ok := c.wanted[name]; ok && !bytes.Equal(before, got) {
		c.t.Errorf("%s: section %q is wanted twice with different content:\n%s", c.path, name, cmp.Diff(string(before), string(got)))
		return
	}
	c.wanted[name] = got
	want, ok := c.Optional(name)
	switch {
	case *update:
		c.set(name, got)
	case !ok && len(got) > 0:
		c.t.Errorf("%s: has no section %q; got:\n%s%s", c.path, name, got, c.hint())
	case !bytes.Equal(withNewline(want), got):
		c.t.Errorf("%s: section %q differs (-want +got):\n%s%s", c.path, name, cmp.Diff(string(want), string(got)), c.hint())
	}
}

// finish reports or drops the stale sections and writes the archive where -update changed it.
func (c *Case) finish() {
	c.t.Helper()
	if c.t.Failed() || c.t.Skipped() {
		// The test may have ended before it asked for everything.
		return
	}
	stale := slices.DeleteFunc(c.sections(), func(name string) bool { return c.asked[name] })
	if !*update {
		for _, name := range stale {
			c.t.Errorf("%s: section %q is stale: the test did not ask for it; correct its name, or drop it with: %s", c.path, name, command())
		}
		return
	}
	for _, name := range stale {
		c.t.Logf("%s: dropped the stale section %q", c.path, name)
	}
	c.archive.Files = slices.DeleteFunc(c.archive.Files, func(f txtar.File) bool { return !c.asked[f.Name] })
	c.write()
}

// write stores the archive, unless its content would not come back from the file.
func (c *Case) write() {
	c.t.Helper()
	data := txtar.Format(c.archive)
	same := func(a, b txtar.File) bool { return a.Name == b.Name && bytes.Equal(a.Data, b.Data) }
	if !slices.EqualFunc(c.archive.Files, txtar.Parse(data).Files, same) {
		c.t.Errorf("%s: cannot be kept as txtar, the file is as it was: a line of what the test got looks like `-- name --`", c.path)
		return
	}
	if before, err := os.ReadFile(c.path); err == nil && bytes.Equal(before, data) {
		return
	}
	if err := os.WriteFile(c.path, data, 0o600); err != nil {
		c.t.Errorf("write fixture: %v", err)
	}
}

func (c *Case) index(name string) int {
	return slices.IndexFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == name })
}

func (c *Case) sections() []string {
	names := make([]string, 0, len(c.archive.Files))
	for _, file := range c.archive.Files {
		names = append(names, file.Name)
	}
	return names
}

// set replaces the section in its place or adds it at the end; nothing is not worth a section of its own.
func (c *Case) set(name string, data []byte) {
	if i := c.index(name); i >= 0 {
		c.archive.Files[i].Data = data
	} else if len(data) > 0 {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: data})
	}
}

func (c *Case) hint() string {
	return "\nif this is what it should be: " + command() + ", then read the diff"
}

// command is what rewrites the fixtures of the package under test, as typed at the root of its module.
func command() string {
	pkg := "."
	// A test runs in the folder of its package.
	if dir, err := os.Getwd(); err == nil {
		for root := dir; root != filepath.Dir(root); root = filepath.Dir(root) {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
				continue
			}
			if rel := filepath.ToSlash(strings.TrimPrefix(dir, root)); rel != "" {
				pkg = "." + path.Clean(rel)
			}
			break
		}
	}
	return "go test " + pkg + " -update"
}

func withNewline(data []byte) []byte {
	if len(data) == 0 || data[len(data)-1] == '\n' {
		return data
	}
	return append(bytes.Clone(data), '\n')
}
