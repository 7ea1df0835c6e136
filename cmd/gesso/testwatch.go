package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
)

// suiteTree is what the tests of a folder of policies are made of: <id>/*.rego and <id>/samples/<verdict>/*.yaml.
func suiteTree(dir string, depth int) tree {
	return tree{path: dir, depth: depth, counts: func(name string) bool {
		return slices.Contains([]string{".rego", ".yaml", ".yml"}, filepath.Ext(name))
	}}
}

// policyFolders returns the folders of the suite's policies, by id, with what they hold.
func (s suite) policyFolders() map[string]string {
	contents := map[string]string{}
	if s.only != "" {
		contents[s.only] = scanTrees([]tree{suiteTree(filepath.Join(s.root, s.only), 2)}).content()
		return contents
	}
	entries, err := os.ReadDir(s.root)
	if err != nil {
		return contents // gone; it may come back
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		path := filepath.Join(s.root, entry.Name())
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			contents[entry.Name()] = scanTrees([]tree{suiteTree(path, 2)}).content()
		}
	}
	return contents
}

// watchedSuite is a suite under a watch: what its policies held when they were tested last, and what came of it.
type watchedSuite struct {
	suite
	contents map[string]string
	results  map[string]tested // by id; "" for what belongs to no policy
}

// watchSuites runs the tests, and those of each policy again when it changes, until the context is done.
func (f *testFlags) watchSuites(cmd *cobra.Command, suites []suite, pattern *regexp.Regexp) error {
	var trees []tree
	all := make([]*watchedSuite, len(suites))
	for i, s := range suites {
		all[i] = &watchedSuite{suite: s, results: map[string]tested{}}
		dir, depth := s.root, 3
		if s.only != "" {
			dir, depth = filepath.Join(s.root, s.only), 2
		}
		trees = append(trees, suiteTree(dir, depth))
	}
	files := newFileWatch(logr.Discard(), trees...)
	out := cmd.OutOrStdout()
	run := func(ctx context.Context) {
		began := time.Now()
		var now, total tested
		var names []string
		for _, s := range all {
			changed := s.changed(f.library)
			names = append(names, changed...)
			if len(changed) > 0 {
				now.add(s.run(ctx, f, changed, pattern))
			}
			for _, id := range slices.Sorted(maps.Keys(s.results)) {
				total.add(s.results[id])
			}
		}
		if ctx.Err() != nil || len(names) == 0 {
			return
		}
		fmt.Fprintf(out, "──── %s  %s\n", began.Format(time.TimeOnly), strings.Join(names, " "))
		if err := now.printText(out, f.verbose); err != nil {
			return
		}
		if total.summary() != now.summary() {
			fmt.Fprintf(out, "all: %s\n", total.summary())
		}
		fmt.Fprintf(out, "(%v; waiting for a change, Ctrl-C ends it)\n", time.Since(began).Round(time.Millisecond))
	}
	run(cmd.Context())
	files.run(cmd.Context(), run)
	return nil
}

// changed returns the policies that are not as they were when they were tested last, and forgets those that are gone. together says
// that each may matter to the samples of all others.
func (s *watchedSuite) changed(together bool) []string {
	contents := s.policyFolders()
	var ids []string
	gone := false
	for id, content := range contents {
		if s.contents[id] != content {
			ids = append(ids, id)
		}
	}
	for id := range s.contents {
		if _, there := contents[id]; !there {
			gone = true
			delete(s.results, id)
		}
	}
	s.contents = contents
	if together && (gone || len(ids) > 0) {
		ids = slices.Collect(maps.Keys(contents))
	}
	slices.Sort(ids)
	return ids
}

// run tests some policies and keeps what came of it.
func (s *watchedSuite) run(ctx context.Context, f *testFlags, ids []string, pattern *regexp.Regexp) tested {
	t := f.runSuite(ctx, s.suite, ids, pattern)
	delete(s.results, "")
	for _, id := range ids {
		delete(s.results, id)
	}
	for _, r := range t.results {
		kept := s.results[r.Policy]
		kept.results = append(kept.results, r)
		s.results[r.Policy] = kept
	}
	for _, p := range t.problems {
		kept := s.results[p.Policy]
		kept.problems = append(kept.problems, p)
		s.results[p.Policy] = kept
	}
	return t
}
