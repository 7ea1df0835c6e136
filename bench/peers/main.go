// Peers measures other policy engines beside Gesso: the same ten policies, the same Pod. See package compare for what is measured and how.
//
//	go run . --rounds 5 --markdown
//
// Gatekeeper and Kyverno are built from their own sources, in the module webhooks: the first time takes many minutes.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"

	"github.com/gesso-dev/gesso/bench/peers/compare"
	"github.com/gesso-dev/gesso/bench/peers/vap"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o compare.Options
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	o.Flags(f)
	markdown := f.Bool("markdown", false, "write a table; the default is JSON")
	keep := f.String("json", "", "write the JSON into this file as well")
	webhooks := f.String("webhooks", "webhooks", "folder of the module webhooks; empty leaves Gatekeeper and Kyverno out")
	if err := f.Parse(args); err != nil {
		return err
	}
	report := &compare.Report{Machine: compare.Machine(), Options: o}
	if *webhooks != "" {
		p, err := other(ctx, *webhooks, o)
		if err != nil {
			return err
		}
		report.Processes = append(report.Processes, p)
	}
	p, err := compare.Measure(ctx, o, vap.Peers())
	if err != nil {
		return err
	}
	report.Processes = append(report.Processes, p)
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if *keep != "" {
		if err := os.WriteFile(*keep, text, 0o600); err != nil {
			return err
		}
	}
	if *markdown {
		return report.Markdown(out)
	}
	_, err = out.Write(text)
	return err
}

// other builds and runs the module with the engines that do not go into this process. It is built before it is run, so that nothing of the
// building is measured.
func other(ctx context.Context, dir string, o compare.Options) (*compare.Process, error) {
	folder, err := os.MkdirTemp("", "gesso-peers-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary := folder + "/webhooks"
	build := exec.CommandContext(ctx, "go", "build", "-C", dir, "-o="+binary, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build %s: %w", dir, err)
	}
	var text bytes.Buffer
	command := exec.CommandContext(ctx, binary, o.Args()...)
	command.Stdout, command.Stderr = &text, os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", dir, err)
	}
	p := &compare.Process{}
	return p, json.Unmarshal(text.Bytes(), p)
}
