package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tree is a checkout whose Go benchmarks are run.
type tree struct {
	name     string
	old      bool
	root     string
	binaries []binary
	out      string // the file that benchstat reads
}

// binary is the compiled tests of a package.
type binary struct{ file, dir string }

// compare runs the Go benchmarks of this checkout and of the base commit, in turn, and has benchstat compare them.
func compare(ctx context.Context, b *bed) (any, string, error) {
	trees := []*tree{{name: "new", root: b.root}}
	base := output(ctx, b.root, "git", "rev-parse", "--verify", "--quiet", b.base+"^{commit}")
	switch {
	case b.quick: // nothing is compared
		base = ""
	case base == "":
		b.say("there is no commit %s to compare with", b.base)
	default:
		old := &tree{name: "old", old: true, root: filepath.Join(b.dir, "base")}
		if err := b.git(ctx, "worktree", "add", "--quiet", "--detach", old.root, base); err != nil {
			return nil, "", err
		}
		defer func() { _ = b.git(context.WithoutCancel(ctx), "worktree", "remove", "--force", old.root) }()
		trees = append([]*tree{old}, trees...)
	}
	count, lasting := 5, "100ms"
	if b.quick {
		count, lasting = 1, "5ms"
	}
	for _, t := range trees {
		b.say("building the Go benchmarks: %s", t.name)
		if err := t.build(ctx, filepath.Join(b.dir, t.name+"-tests")); err != nil {
			return nil, "", err
		}
	}
	for i := range count {
		for _, t := range trees {
			b.say("Go benchmarks, %d of %d: %s", i+1, count, t.name)
			if err := t.run(ctx, b, lasting); err != nil {
				return nil, "", err
			}
		}
	}
	return b.benchstat(ctx, trees, base)
}

// build compiles the tests of every package that has benchmarks, in the module and in this one.
func (t *tree) build(ctx context.Context, into string) error {
	t.out = into + ".txt"
	if err := os.MkdirAll(into, 0o750); err != nil {
		return err
	}
	found := output(ctx, t.root, "git", "grep", "-l", "^func Benchmark", "--", "*_test.go")
	seen := map[string]bool{}
	for file := range strings.Lines(found) {
		dir := filepath.Dir(strings.TrimSpace(file))
		if seen[dir] || strings.HasPrefix(dir, filepath.Join("bench", "peers")) {
			continue
		}
		seen[dir] = true
		bin := binary{filepath.Join(into, strings.ReplaceAll(dir, string(filepath.Separator), "-")+".test"), filepath.Join(t.root, dir)}
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-o", bin.file, ".")
		cmd.Dir = bin.dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as Gesso is shipped; with -trimpath, what both trees have is built once
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build tests of %s (%s): %w\n%s", dir, t.name, err, out)
		}
		t.binaries = append(t.binaries, bin)
	}
	return nil
}

// run runs the benchmarks of every package once and appends what it prints.
func (t *tree) run(ctx context.Context, b *bed, lasting string) error {
	for _, bin := range t.binaries {
		cmd := exec.CommandContext(ctx, bin.file, "-test.run=^$", "-test.bench=.", "-test.benchmem", "-test.benchtime="+lasting, "-test.timeout=10m")
		cmd.Dir = bin.dir
		out, err := cmd.CombinedOutput()
		switch {
		case err != nil && t.old && ctx.Err() == nil: // what was broken before is not this commit's fault
			b.say("benchmarks in %s fail in the base: %v", bin.dir, err)
			continue
		case err != nil:
			return fmt.Errorf("benchmarks in %s (%s): %w\n%s", bin.dir, t.name, err, out)
		}
		f, err := os.OpenFile(t.out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(out)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bed) benchstat(ctx context.Context, trees []*tree, base string) (any, string, error) {
	args := []string{"tool", "-modfile=" + filepath.Join(b.root, "tools", "go.mod"), "benchstat"}
	for _, t := range trees {
		args = append(args, t.name+"="+t.out)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.root
	out, err := cmd.Output()
	if err != nil {
		return nil, "", fmt.Errorf("benchstat: %w", err)
	}
	text := "```text\n" + strings.TrimSpace(string(out)) + "\n```\n"
	if base != "" {
		text = fmt.Sprintf("old is commit %.12s.\n\n%s", base, text)
	}
	return strings.Split(string(out), "\n"), text, nil
}

func (b *bed) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = b.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, out)
	}
	return nil
}
