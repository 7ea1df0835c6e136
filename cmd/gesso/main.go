// Gesso fills the platform's defaults into Kubernetes manifests and refuses what must not run: as an admission webhook
// (gesso serve) and, with the same answers, on files (gesso review).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

//go:generate go run github.com/gesso-dev/gesso/docs/docgen ../..

// The exit codes of every verb.
const (
	exitOK      = 0
	exitDenied  = 1 // something is denied
	exitDiffers = 1 // gesso profile --diff: the Profiles differ
	exitError   = 2 // could not read, or could not decide
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: what the tests call.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	fmt.Fprintf(stderr, "gesso: %v\n", err)
	return exitError
}

// exitCode ends the program with a code when everything that is to be said has been printed.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "gesso",
		Short: "Sane defaults and policies for Kubernetes manifests",
		Long: `Gesso fills in what the platform wants every workload to have, and refuses what must not run with a message that says
what to write instead. gesso serve does so as an admission webhook, gesso review on files with the same answers.

Exit codes: 0 all allowed, 1 something is denied, 2 could not read or could not decide.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(newReviewCommand(), newTestCommand(), newProfileCommand(), newWebhooksCommand(), newExplainCommand(), newServeCommand(), newVersionCommand())
	return root
}
