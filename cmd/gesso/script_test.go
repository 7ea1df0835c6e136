package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/txtest"
	"github.com/gesso-dev/gesso/policies"
)

const scripts = "testdata/script"

// TestScripts runs one command line per fixture, in a folder that holds the fixture's other sections as files. stdout, stderr
// and exit are what is wanted of it. $EXAMPLES stands for the folder examples of the repository.
func TestScripts(t *testing.T) {
	library() // found from here; the scripts run elsewhere
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	txtest.Run(t, scripts, 40, func(t *testing.T, c *txtest.Case) {
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		archive, err := txtar.ParseFile(filepath.Join(scripts, strings.TrimPrefix(t.Name(), "TestScripts/")))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			switch file.Name {
			case "cmd", "stdin", "stdout", "stderr", "exit":
			default:
				write(t, filepath.Join(dir, file.Name), c.File(file.Name))
			}
		}
		stdin, _ := c.Optional("stdin")
		args := strings.Fields(strings.ReplaceAll(string(c.File("cmd")), "$EXAMPLES", examples))
		if len(args) == 0 || args[0] != "gesso" {
			t.Fatalf("cmd must begin with gesso: %q", args)
		}
		t.Chdir(dir)
		got := gesso(t, string(stdin), args[1:]...)
		t.Chdir(here)
		c.Want("stdout", []byte(got.stdout))
		c.Want("stderr", []byte(strings.ReplaceAll(got.stderr, examples, "$EXAMPLES")))
		c.Want("exit", fmt.Append(nil, got.code))
		if got.code == exitError && strings.HasPrefix(got.stderr, "gesso: ") && got.stdout != "" {
			t.Error("an error and results: stdout must be empty")
		}
	})
}

// library is the library compiled under the two Profiles that most command lines use: to compile it takes most of their time.
var library = sync.OnceValue(func() []*policies.Set {
	profiles := []*v1alpha1.Profile{v1alpha1.Builtin()}
	if raw, err := os.ReadFile("../../examples/profile.yaml"); err == nil {
		if example, err := v1alpha1.DecodeProfile(raw); err == nil {
			profiles = append(profiles, example)
		}
	}
	sets := make([]*policies.Set, len(profiles))
	for i, p := range profiles {
		sets[i], _ = policies.Load(context.Background(), []policies.Source{policies.Library()}, admission.Settings(p))
	}
	return sets
})

// outcome is what one run of gesso came to.
type outcome struct {
	stdout, stderr string
	code           int
}

// gesso runs a command line in this process.
func gesso(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(withCompiled(t.Context(), library()...), args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{stdout.String(), stderr.String(), code}
}

// write writes a file and the folders above it.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
