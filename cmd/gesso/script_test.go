package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gesso-dev/gesso/internal/txtest"
)

const scripts = "testdata/script"

// TestScripts runs one command line per fixture, in a folder that holds the fixture's other sections as files. stdout, stderr
// and exit are what is wanted of it. $EXAMPLES stands for the folder examples of the repository.
func TestScripts(t *testing.T) {
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

// outcome is what one run of gesso came to.
type outcome struct {
	stdout, stderr string
	code           int
}

// gesso runs a command line in this process.
func gesso(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
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
