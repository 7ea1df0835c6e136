// Up starts a real control plane with Gesso in it, applies examples/, and shows what was filled and what was refused. It stays
// until Ctrl-C; with --demo it exits after the examples, with another status than 0 if something was not as it must be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/argocd"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "up:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	demo := flag.Bool("demo", false, "exit after the examples")
	assets := flag.Bool("assets", false, "only build what the tests need (a control plane, Argo CD's diff), and exit")
	flag.Parse()

	binaries, err := controlplane.FindAssets(ctx, out)
	if err != nil {
		return err
	}
	root, err := e2e.Root()
	if err != nil {
		return err
	}
	if *assets {
		return argocd.Build(ctx, root, out)
	}
	dir, err := os.MkdirTemp("", "gesso-up-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Fprintln(out, "building gesso")
	binary, err := e2e.Build(ctx, root, dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "starting etcd, kube-apiserver and kube-controller-manager")
	cp, err := controlplane.Start(ctx, controlplane.Options{Assets: binaries, Progress: out})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cp.Stop()) }()
	fmt.Fprintln(out, "installing the CRDs of External Secrets")
	if err := e2e.ApplyExternalSecretCRDs(ctx, cp); err != nil {
		return err
	}
	examples := &examples{root: root, cp: cp, out: out}
	if err := examples.before(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "starting gesso serve and applying what gesso webhooks prints")
	gesso, err := e2e.StartGesso(ctx, cp, e2e.Options{
		Binary: binary, Dir: dir, Flags: []string{"--profile", filepath.Join(root, "examples", "profile.yaml")},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gesso.Stop()) }()
	if err := gesso.Register(ctx, cp); err != nil {
		return err
	}
	if err := examples.apply(ctx); err != nil {
		return err
	}
	if *demo {
		return nil
	}
	fmt.Fprintf(out, `
The cluster is yours until Ctrl-C. In another terminal:

  export KUBECONFIG=%s
  alias kubectl=%s    # or any kubectl of your own
  kubectl --namespace team-a get deployment shop -o yaml
  kubectl --namespace team-a set image deployment/shop web=shop:latest

What Gesso says of itself: http://%s/statusz, /metrics
There is no kubelet: Pods are made, but stay Pending.
`, cp.Kubeconfig(), binaries.Kubectl, gesso.Health)
	<-ctx.Done()
	fmt.Fprintln(out, "\nstopping")
	return nil
}

// heading prints a line that stands out in a long output.
func heading(out io.Writer, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(out, "\n%s\n%s\n", text, strings.Repeat("─", len([]rune(text))))
}
