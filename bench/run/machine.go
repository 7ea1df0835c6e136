package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine describes where and when something was measured, a line for each thing.
func machine(ctx context.Context, root string) string {
	load := "unknown"
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(raw))[:3], " ")
	}
	commit := output(ctx, root, "git", "rev-parse", "--short=12", "HEAD")
	if commit == "" {
		commit = "unknown"
	} else if output(ctx, root, "git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/benchmarks.md") != "" {
		commit += " with changes"
	}
	return strings.Join([]string{
		fmt.Sprintf("%s, %d cores", processor(), runtime.NumCPU()),
		output(ctx, root, "uname", "-sr"),
		runtime.Version(),
		"commit " + commit,
		time.Now().UTC().Format("2006-01-02 15:04 UTC"),
		"load before " + load,
	}, "\n")
}

func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func output(ctx context.Context, dir, name string, args ...string) string {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
