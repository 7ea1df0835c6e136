package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"
	"github.com/gesso-dev/gesso/bench/process"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// bed is what all parts share: the binaries and a control plane, made when the first part needs them.
type bed struct {
	options
	out     io.Writer
	began   time.Time
	root    string // of the checkout
	dir     string // temporary
	machine string

	gesso, floor string
	cp           *controlplane.ControlPlane
	client       kubernetes.Interface
	servers      []*process.Server
}

func newBed(ctx context.Context, o options) (*bed, error) {
	b := &bed{options: o, out: os.Stdout, began: time.Now()}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/gesso-dev/gesso").Output()
	if err != nil {
		return nil, fmt.Errorf("find the checkout: %w", err)
	}
	b.root = strings.TrimSpace(string(out))
	b.machine = machine(ctx, b.root)
	if b.dir, err = os.MkdirTemp("", "gesso-bench-"); err != nil {
		return nil, err
	}
	return b, nil
}

// say prints a line of progress.
func (b *bed) say(format string, args ...any) {
	fmt.Fprintf(b.out, "%4ds  %s\n", int(time.Since(b.began).Seconds()), fmt.Sprintf(format, args...))
}

func (b *bed) close() error {
	err := b.stopServers()
	if b.cp != nil {
		err = errors.Join(err, b.cp.Stop())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// keep writes the numbers of a part to a file, and its table into the page.
func (b *bed) keep(name string, numbers any, table string) error {
	text, err := json.MarshalIndent(map[string]any{"part": name, "machine": strings.Split(b.machine, "\n"), "numbers": numbers}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.results(), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.results(), name+".json"), append(text, '\n'), 0o600); err != nil {
		return err
	}
	if b.quick {
		return nil
	}
	return writePart(filepath.Join(b.root, b.page), name, fmt.Sprintf("%s\n\n%s", strings.ReplaceAll(b.machine, "\n", "; "), table))
}

// results is the folder of the numbers. Those of a quick run are not mixed with the others.
func (b *bed) results() string {
	if b.quick {
		return filepath.Join(b.root, ".cache", "bench-quick")
	}
	return filepath.Join(b.root, ".cache", "bench")
}

// build builds the servers: Gesso as it is shipped.
func (b *bed) build(ctx context.Context) error {
	if b.gesso != "" {
		return nil
	}
	b.say("building gesso, and what it is compared with")
	gesso, floor := filepath.Join(b.dir, "bin", "gesso"), filepath.Join(b.dir, "bin", "floor")
	for _, build := range [][]string{{b.root, gesso, "./cmd/gesso"}, {filepath.Join(b.root, "bench"), floor, "./floor"}} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", build[1], build[2])
		cmd.Dir = build[0]
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", build[2], err, out)
		}
	}
	b.gesso, b.floor = gesso, floor
	return nil
}

// controlPlane starts the API server, which gesso serve watches.
func (b *bed) controlPlane(ctx context.Context) error {
	if err := b.build(ctx); err != nil || b.cp != nil {
		return err
	}
	b.say("starting etcd and kube-apiserver")
	var err error
	if b.cp, err = controlplane.Start(ctx, controlplane.Options{Progress: b.out}); err != nil {
		return err
	}
	if b.client, err = kubernetes.NewForConfig(b.cp.Config()); err != nil {
		return err
	}
	if err := e2e.ApplyExternalSecretCRDs(ctx, b.cp); err != nil { // the library reads them
		return err
	}
	return b.namespace(ctx, fixtures.Namespace)
}

// namespace makes a namespace with the account that the Pods run as.
func (b *bed) namespace(ctx context.Context, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"gesso.dev/ingress-hosts": "*." + name + ".example"}}}
	if _, err := b.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if _, err := b.client.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// startFloor starts one of the servers that Gesso is compared with.
func (b *bed) startFloor(ctx context.Context, handler string) (*process.Server, error) {
	return b.keepServer(process.Start(ctx, process.Options{Name: handler, Binary: b.floor, Args: []string{"--handler", handler}, Dir: b.dir}))
}

// startGesso starts gesso serve with a setup.
func (b *bed) startGesso(ctx context.Context, setup cases.Setup) (*process.Server, error) {
	dir := filepath.Join(b.dir, setup.Name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	flags, err := setup.Flags(dir)
	if err != nil {
		return nil, err
	}
	b.say("starting gesso serve: %s", setup.Name)
	return b.serve(ctx, setup.Name, flags)
}

func (b *bed) serve(ctx context.Context, name string, flags []string) (*process.Server, error) {
	args := append([]string{"serve", "--kubeconfig", b.cp.Kubeconfig()}, flags...)
	return b.keepServer(process.Start(ctx, process.Options{Name: name, Binary: b.gesso, Args: args, Dir: b.dir}))
}

func (b *bed) keepServer(s *process.Server, err error) (*process.Server, error) {
	if err == nil {
		b.servers = append(b.servers, s)
	}
	return s, err
}

// stopServers ends what a part has started.
func (b *bed) stopServers() error {
	var err error
	for _, s := range b.servers {
		err = errors.Join(err, s.Stop())
	}
	b.servers = nil
	return err
}
