// Package txtest runs tests that are kept as txtar archives under a testdata folder: one file is one case, with its input
// and what is wanted from it side by side.
//
//	Why this case exists, in a sentence.
//	-- input.yaml --
//	kind: Pod
//	-- want.json --
//	[]
//
// The rules are:
//
//   - Adding a case is adding a file. [Run] finds every *.txtar under a folder and runs it as a subtest that carries the
//     file's path, so `go test -run 'TestFill/present.txtar'` runs one.
//   - A folder that holds fewer archives than the test expects fails: a moved folder must not pass by testing nothing.
//   - A section that the test did not ask for is stale and fails: it is a leftover, or its name has a typo.
//   - `go test ./the/package -update` writes what the test got into the archives and drops stale sections. The comment and
//     the order of the sections stay. A case that fails or is skipped is never rewritten.
//   - A section ends with a newline (txtar has no other way), and a missing section and an empty one are the same.
package txtest

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// update is read by tests only, and only after the flags have been parsed.
var update = flag.Bool("update", false, "rewrite the wanted sections of txtar fixtures") //nolint:gochecknoglobals // a flag of the test binary must be registered before main runs

// Updating reports whether the tests run with -update, for tests that keep golden files of another form beside the archives.
func Updating() bool { return *update }

// Run runs one subtest for each txtar archive under dir, at any depth and in name order. It fails when there are fewer than
// atLeast archives. One test owns a folder: a second one over the same archives reads them with [Sections].
func Run(t *testing.T, dir string, atLeast int, run func(t *testing.T, c *Case)) {
	t.Helper()
	for _, name := range discover(t, dir, atLeast) {
		t.Run(name, func(t *testing.T) {
			c := load(t, dir, name)
			// Cleanup and not defer: subtests of the case that run in parallel are over only then.
			t.Cleanup(c.finish)
			run(t, c)
		})
	}
}

// A Section is one named section of one archive.
type Section struct {
	// Archive is the archive's path under the folder that was asked for.
	Archive string
	// Data is the content of the section.
	Data []byte
}

// Sections returns the section called name of every archive under dir that has it, in name order: seeds for a fuzz test, or
// inputs for a second test over the same cases. It fails when there are fewer than atLeast.
func Sections(tb testing.TB, dir, name string, atLeast int) []Section {
	tb.Helper()
	var found []Section
	for _, archive := range discover(tb, dir, 0) {
		if data, ok := load(tb, dir, archive).Optional(name); ok {
			found = append(found, Section{Archive: archive, Data: data})
		}
	}
	if len(found) < atLeast {
		tb.Fatalf("found %d sections %q under %s, want at least %d: was the folder moved or the section renamed?", len(found), name, dir, atLeast)
	}
	return found
}

// discover returns the slash-separated paths of all archives under dir.
func discover(tb testing.TB, dir string, atLeast int) []string {
	tb.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".txtar") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		tb.Fatalf("find fixtures: %v", err)
	}
	if len(names) < atLeast {
		tb.Fatalf("found %d fixtures (*.txtar) under %s, want at least %d: was the folder moved?", len(names), dir, atLeast)
	}
	return names
}

// load reads one archive and refuses what a rewrite would lose.
func load(tb testing.TB, dir, name string) *Case {
	tb.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("read fixture: %v", err)
	}
	c := &Case{t: tb, path: path, archive: txtar.Parse(data), asked: map[string]bool{}, wanted: map[string][]byte{}}
	seen := map[string]bool{}
	for _, file := range c.archive.Files {
		if seen[file.Name] {
			tb.Fatalf("%s: two sections are called %q", path, file.Name)
		}
		seen[file.Name] = true
	}
	return c
}
