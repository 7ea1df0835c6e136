package txtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Failing is half of what this package does, and a test cannot watch its own subtests fail. So each case runs this test
// binary once more, with TestInner alone and with the flags that a user would type.
const (
	envDir     = "TXTEST_DIR"
	envAtLeast = "TXTEST_AT_LEAST"
)

// TestInner upper-cases input.txt into want.txt; it does nothing unless another test started it.
func TestInner(t *testing.T) {
	dir := os.Getenv(envDir)
	if dir == "" {
		t.Skip("started by the other tests")
	}
	atLeast, err := strconv.Atoi(os.Getenv(envAtLeast))
	if err != nil {
		t.Fatal(err)
	}
	Run(t, dir, atLeast, func(t *testing.T, c *Case) {
		input := string(c.File("input.txt"))
		if prefix, ok := c.Optional("prefix.txt"); ok {
			input = strings.TrimSpace(string(prefix)) + input
		}
		switch strings.TrimSpace(input) {
		case "skip":
			t.Skip("as told")
		case "fail":
			t.Error("as told")
		case "twice":
			c.Want("want.txt", []byte("another"))
		case "marker":
			c.Want("want.txt", []byte("a\n-- b --\nc"))
			return
		case "nothing":
			input = ""
		}
		c.Want("want.txt", []byte(strings.TrimSpace(strings.ToUpper(input))))
	})
}

func runInner(t *testing.T, files map[string]string, atLeast string, args ...string) (output string, passed bool, after map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestInner$", "-test.v"}, args...)...)
	cmd.Env = append(os.Environ(), envDir+"="+dir, envAtLeast+"="+atLeast)
	out, err := cmd.CombinedOutput()
	after = map[string]string{}
	for name := range files {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		after[name] = string(data)
	}
	return string(out), err == nil, after
}

func TestRun(t *testing.T) {
	const good = "Why.\n-- input.txt --\nabc\n-- want.txt --\nABC\n"
	cases := map[string]struct {
		files   map[string]string
		atLeast string
		args    []string
		// want are regular expressions that the output matches; a test that is to pass says so itself.
		passes bool
		want   []string
		// wantFiles are the files afterwards; nil: as before.
		wantFiles map[string]string
	}{
		"a good case passes under its relative path": {
			files:  map[string]string{"a/b.txtar": good, "c.txtar": good, "c.yaml": "not a fixture"},
			passes: true,
			want:   []string{`--- PASS: TestInner/a/b\.txtar`, `--- PASS: TestInner/c\.txtar`},
		},
		"too few fixtures": {
			files:   map[string]string{"a.txtar": good},
			atLeast: "2",
			want:    []string{`found 1 fixtures \(\*\.txtar\) under .*, want at least 2`},
		},
		"a difference shows both sides and the command": {
			files: map[string]string{"a.txtar": "-- input.txt --\nabc\n-- want.txt --\nABD\n"},
			want:  []string{`a\.txtar: section "want.txt" differs \(-want \+got\)`, `-.*ABD`, `\+.*ABC`, `go test \./internal/txtest -update`},
		},
		"a wanted section that is missing": {
			files: map[string]string{"a.txtar": "-- input.txt --\nabc\n"},
			want:  []string{`has no section "want.txt"; got:\s+ABC`, `go test \./internal/txtest -update`},
		},
		"an input section that is missing": {
			files: map[string]string{"a.txtar": "-- inptu.txt --\nabc\n"},
			want:  []string{`has no section "input.txt"; its sections are \["inptu.txt"\]`},
		},
		"nothing wanted and nothing got": {
			files:  map[string]string{"a.txtar": "-- input.txt --\nnothing\n"},
			passes: true,
		},
		"an optional section is used": {
			files:  map[string]string{"a.txtar": "-- input.txt --\nabc\n-- prefix.txt --\nx\n-- want.txt --\nXABC\n"},
			passes: true,
		},
		"a stale section": {
			files: map[string]string{"a.txtar": good + "-- want.json --\n{}\n"},
			want:  []string{`section "want.json" is stale`},
		},
		"stale sections of a skipped case are not looked at": {
			files:  map[string]string{"a.txtar": "-- input.txt --\nskip\n-- want.txt --\nABC\n"},
			passes: true,
			want:   []string{`--- SKIP: TestInner/a\.txtar`},
		},
		"two sections of one name": {
			files: map[string]string{"a.txtar": good + "-- want.txt --\nABC\n"},
			want:  []string{`two sections are called "want.txt"`},
		},
		"wanted twice": {
			files: map[string]string{"a.txtar": "-- input.txt --\ntwice\n-- want.txt --\nanother\n"},
			want:  []string{`section "want.txt" is wanted twice`},
		},
		"update keeps comment and order, drops what is stale, adds what is missing": {
			files: map[string]string{
				"a.txtar": "Why\nso.\n\n-- want.txt --\nold\n-- want.json --\n{}\n-- input.txt --\nabc\n",
				"b.txtar": "-- input.txt --\nabc\n",
				"c.txtar": good,
			},
			args:   []string{"-update"},
			passes: true,
			want:   []string{`a\.txtar: dropped the stale section "want.json"`},
			wantFiles: map[string]string{
				"a.txtar": "Why\nso.\n\n-- want.txt --\nABC\n-- input.txt --\nabc\n",
				"b.txtar": "-- input.txt --\nabc\n-- want.txt --\nABC\n",
				"c.txtar": good,
			},
		},
		"update empties a section in its place": {
			files:     map[string]string{"a.txtar": "-- want.txt --\nold\n-- input.txt --\nnothing\n"},
			args:      []string{"-update"},
			passes:    true,
			wantFiles: map[string]string{"a.txtar": "-- want.txt --\n-- input.txt --\nnothing\n"},
		},
		"update leaves a failed case alone": {
			files: map[string]string{"a.txtar": "-- input.txt --\nfail\n-- want.txt --\nold\n"},
			args:  []string{"-update"},
			want:  []string{"as told"},
		},
		"update leaves a case alone that wants two things in one section": {
			files: map[string]string{"a.txtar": "-- input.txt --\ntwice\n-- want.txt --\nold\n"},
			args:  []string{"-update"},
			want:  []string{`section "want.txt" is wanted twice`},
		},
		"update refuses what would not come back": {
			files: map[string]string{"a.txtar": "-- input.txt --\nmarker\n-- want.txt --\nold\n"},
			args:  []string{"-update"},
			want:  []string{"cannot be kept as txtar"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.atLeast == "" {
				tc.atLeast = "1"
			}
			output, passed, after := runInner(t, tc.files, tc.atLeast, tc.args...)
			if passed != tc.passes {
				t.Errorf("passed: %v, want %v", passed, tc.passes)
			}
			for _, want := range tc.want {
				if !regexp.MustCompile(want).MatchString(output) {
					t.Errorf("the output does not match %q", want)
				}
			}
			if tc.wantFiles == nil {
				tc.wantFiles = tc.files
			}
			if diff := cmp.Diff(tc.wantFiles, after); diff != "" {
				t.Errorf("the fixtures afterwards (-want +got):\n%s", diff)
			}
			if t.Failed() {
				t.Logf("output:\n%s", output)
			}
		})
	}
}

// TestUpdateSettles holds that what -update wrote passes without it.
func TestUpdateSettles(t *testing.T) {
	_, passed, after := runInner(t, map[string]string{"a.txtar": "Why.\n-- input.txt --\nabc"}, "1", "-update")
	if !passed {
		t.Fatal("the update failed")
	}
	output, passed, _ := runInner(t, after, "1")
	if !passed {
		t.Errorf("the updated fixture fails:\n%s", output)
	}
}

func TestSections(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"b.txtar": "-- input.txt --\nB\n",
		"a.txtar": "-- input.txt --\nA\n-- want.txt --\nx\n",
		"c.txtar": "-- other.txt --\nC\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []Section{{Archive: "a.txtar", Data: []byte("A\n")}, {Archive: "b.txtar", Data: []byte("B\n")}}
	if diff := cmp.Diff(want, Sections(t, dir, "input.txt", 2)); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
}
