package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gesso-dev/gesso/policies"
)

// testFlags are the flags of gesso test.
type testFlags struct {
	watch   bool
	library bool
	verbose bool
	run     string
	timeout time.Duration
	output  string
}

func newTestCommand() *cobra.Command {
	var flags testFlags
	cmd := &cobra.Command{
		Use:   "test [DIR…]",
		Short: "Run the Rego tests and the samples of policies",
		Long: `Run the Rego tests (*_test.rego) and the samples (samples/accepted, samples/refused) of policies. A DIR is the folder of one policy,
or a folder of such folders; without one it is the current directory.

A sample is judged by the policy in whose folder it lies; with --library by the built-in library and all policies of DIR too, in
which a policy of DIR takes the place of the built-in one of the same name.

Exit codes: 0 all passed; 1 something failed; 2 something could not be loaded, or there is no test.`,
		Example: `  gesso test
  gesso test policies/library/image-tag --watch
  gesso test policies --run 'image-tag/refused' -v`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return flags.test(cmd, args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&flags.watch, "watch", "w", false, "go on, and run the tests of each policy again when it changes")
	f.BoolVar(&flags.library, "library", false, "judge samples by the built-in library too")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "list every test, with what print statements say")
	f.StringVar(&flags.run, "run", "", "only tests whose policy/name matches `REGEXP`")
	f.DurationVar(&flags.timeout, "timeout", 10*time.Second, "how long one Rego test with all its cases, or one policy over one sample, may take")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	completeWith(cmd, "output", "text", "json")
	completeWith(cmd, "run")
	completeWith(cmd, "timeout")
	return cmd
}

// suite is what one DIR holds.
type suite struct {
	source policies.Source
	root   string // the directory of the source
	only   string // the id, where DIR is the folder of one policy
}

// tested is what came of a run.
type tested struct {
	results  []policies.TestResult
	problems []policies.Problem
}

func (f *testFlags) test(cmd *cobra.Command, args []string) error {
	pattern, err := f.check()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	var suites []suite
	for _, dir := range args {
		s, err := openSuite(dir)
		if err != nil {
			return err
		}
		suites = append(suites, s)
	}
	if f.watch {
		return f.watchSuites(cmd, suites, pattern)
	}
	var all tested
	for _, s := range suites {
		all.add(f.runSuite(cmd.Context(), s, nil, pattern))
	}
	switch {
	case cmd.Context().Err() != nil:
		return errInterrupted
	case len(all.results)+len(all.problems) > 0:
	case pattern != nil:
		return fmt.Errorf("no test matches --run %s", f.run)
	default:
		return fmt.Errorf("%s: no tests: a policy has them in *_test.rego, samples/accepted and samples/refused", strings.Join(args, ", "))
	}
	if err := f.print(cmd.OutOrStdout(), all); err != nil {
		return fmt.Errorf("print results: %w", err)
	}
	if code := all.code(); code != exitOK {
		return exitCode(code)
	}
	return nil
}

// check looks at the flags alone, and returns the pattern of --run, nil for none.
func (f *testFlags) check() (*regexp.Regexp, error) {
	switch {
	case f.output != "text" && f.output != "json":
		return nil, fmt.Errorf("unknown output %q: want text or json", f.output)
	case f.timeout <= 0:
		return nil, fmt.Errorf("--timeout is %s: want more than 0", f.timeout)
	case f.watch && f.output == "json":
		return nil, errors.New("--watch prints text; leave out -o json")
	case f.run == "":
		return nil, nil
	}
	pattern, err := regexp.Compile(f.run)
	if err != nil {
		return nil, fmt.Errorf("--run: %w", err)
	}
	return pattern, nil
}

func (f *testFlags) print(out io.Writer, t tested) error {
	if f.output == "json" {
		return t.printJSON(out)
	}
	return t.printText(out, f.verbose)
}

// openSuite finds out what dir is: the folder of one policy, or a folder of such folders.
func openSuite(dir string) (suite, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return suite{}, fileError(dir, err)
	}
	dir = filepath.Clean(dir)
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() && filepath.Ext(e.Name()) == ".rego" }) {
		return suite{source: policies.Source{Name: filepath.ToSlash(dir), FS: os.DirFS(dir)}, root: dir}, nil
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return suite{}, fmt.Errorf("find %s: %w", dir, err)
	}
	parent := filepath.Dir(dir)
	if base := filepath.Base(dir); base == "." || base == ".." {
		parent = filepath.Join(dir, "..")
	}
	return suite{
		source: policies.Source{Name: filepath.ToSlash(parent), FS: os.DirFS(parent)}, root: parent, only: filepath.Base(absolute),
	}, nil
}

// runSuite runs the tests of some policies, nil for all.
func (f *testFlags) runSuite(ctx context.Context, s suite, ids []string, pattern *regexp.Regexp) tested {
	if s.only != "" {
		ids = []string{s.only}
	}
	options := policies.TestOptions{Sources: []policies.Source{s.source}, Policies: ids, Run: pattern, Timeout: f.timeout}
	if f.library {
		options.Beside = []policies.Source{s.library()}
	}
	var t tested
	t.results, t.problems = policies.Test(ctx, options)
	t.problems = append(t.problems, s.untested(ctx, ids, &t)...)
	return t
}

// untested compiles the policies that no test has compiled: one without tests must load all the same.
func (s suite) untested(ctx context.Context, ids []string, t *tested) []policies.Problem {
	seen := map[string]bool{}
	for _, r := range t.results {
		seen[r.Policy] = true
	}
	for _, p := range t.problems {
		seen[p.Policy] = true
	}
	rest := filtered{s.source.FS, func(id string) bool { return !seen[id] && (len(ids) == 0 || slices.Contains(ids, id)) }}
	if entries, err := rest.ReadDir("."); err != nil || len(entries) == 0 {
		return nil
	}
	_, problems := policies.Load(ctx, []policies.Source{{Name: s.source.Name, FS: rest}}, nil)
	return slices.DeleteFunc(problems, func(p policies.Problem) bool { return p.Policy == "" || ctx.Err() != nil })
}

// library is the built-in library without the policies that the suite has itself.
func (s suite) library() policies.Source {
	library := policies.Library()
	library.FS = filtered{library.FS, func(id string) bool {
		_, err := fs.Stat(s.source.FS, id)
		return err != nil
	}}
	return library
}

// filtered is a file system without some of what lies at its top.
type filtered struct {
	fs.FS
	keep func(name string) bool
}

// ReadDir implements fs.ReadDirFS.
func (f filtered) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.FS, name)
	if name == "." {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !f.keep(e.Name()) })
	}
	return entries, err
}

func (t *tested) add(more tested) {
	t.results = append(t.results, more.results...)
	t.problems = append(t.problems, more.problems...)
}

// code is the exit code: what could not be loaded was not tested, which is worse than red.
func (t *tested) code() int {
	switch {
	case len(t.problems) > 0:
		return exitError
	case slices.ContainsFunc(t.results, func(r policies.TestResult) bool { return !r.Passed }):
		return exitDenied
	}
	return exitOK
}
