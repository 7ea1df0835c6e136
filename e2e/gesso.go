package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// Build builds the gesso binary into dir and returns its path. It runs in the checkout at root.
func Build(ctx context.Context, root, dir string) (string, error) {
	binary := filepath.Join(dir, "gesso")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/gesso")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build gesso: %w\n%s", err, out)
	}
	return binary, nil
}

// Root returns the top of the checkout that the working directory is in.
func Root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output() //nolint:noctx // reads one file
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Gesso is a running gesso serve, registered with a control plane.
type Gesso struct {
	Binary  string
	Reviews string // host:port over TLS
	Health  string // host:port over plain HTTP
	CAFile  string // PEM
	flags   []string
	cmd     *exec.Cmd
	log     string        // path
	exited  chan struct{} // closed when it has ended
	waitErr error         // how it ended; read only after exited
}

// Options says how [StartGesso] runs Gesso.
type Options struct {
	Binary string   // from Build
	Flags  []string // of every verb: --profile, --policies, --exceptions
	Serve  []string // further flags of gesso serve
	Dir    string   // for its files
}

// StartGesso gives Gesso an account with the rights that it needs and no other, starts it on loopback, and returns when it
// is ready. It is not registered yet: see [Gesso.Register].
func StartGesso(ctx context.Context, cp *controlplane.ControlPlane, o Options) (*Gesso, error) {
	if _, stderr, err := cp.KubectlInput(ctx, strings.NewReader(account), "apply", "-f", "-"); err != nil {
		return nil, fmt.Errorf("make account: %w\n%s", err, stderr)
	}
	kubeconfig, err := cp.KubeconfigFor("gesso")
	if err != nil {
		return nil, fmt.Errorf("make kubeconfig: %w", err)
	}
	g := &Gesso{
		Binary: o.Binary, CAFile: filepath.Join(o.Dir, "ca.pem"), flags: o.Flags,
		exited: make(chan struct{}), log: filepath.Join(o.Dir, "gesso.log"),
	}
	addresses := filepath.Join(o.Dir, "addresses.json")
	if err := os.Remove(addresses); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old addresses: %w", err)
	}
	args := append([]string{
		"serve", "--kubeconfig", kubeconfig, "--host", "127.0.0.1", "--port", "0", "--health-address", "127.0.0.1:0",
		"--ca-file", g.CAFile, "--address-file", addresses, "--drain-delay", "0s",
	}, append(o.Flags, o.Serve...)...)
	g.cmd = exec.Command(o.Binary, args...) //nolint:noctx // stopped by Stop, with a drain
	log, err := os.Create(g.log)
	if err != nil {
		return nil, fmt.Errorf("open log of gesso: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	g.cmd.Stdout, g.cmd.Stderr = log, log
	ended, err := controlplane.Child(g.cmd)
	if err != nil {
		return nil, fmt.Errorf("start gesso: %w", err)
	}
	go func() {
		g.waitErr = <-ended
		close(g.exited)
	}()
	if err := g.waitReady(ctx, addresses); err != nil {
		return nil, errors.Join(err, g.Stop())
	}
	return g, nil
}

// account is all that Gesso may do in a cluster.
const account = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: gesso}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch]}
# What the library's policies read of other objects (METADATA, inventory).
- {apiGroups: [apps], resources: [deployments, statefulsets], verbs: [list, watch]}
- {apiGroups: [batch], resources: [cronjobs], verbs: [list, watch]}
- {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list, watch]}
- {apiGroups: [external-secrets.io], resources: [externalsecrets, secretstores, clustersecretstores], verbs: [list, watch]}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations, validatingwebhookconfigurations]
  resourceNames: [gesso]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gesso}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gesso}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: gesso}
`

// waitReady waits for the address file, then for /readyz.
func (g *Gesso) waitReady(ctx context.Context, addresses string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var notReady error
	for {
		if g.Health == "" {
			var a struct{ Reviews, Health string }
			if raw, err := os.ReadFile(addresses); err == nil && json.Unmarshal(raw, &a) == nil {
				g.Reviews, g.Health = a.Reviews, a.Health
			}
		} else if _, err := g.Get(ctx, "/readyz"); err == nil {
			return nil
		} else if ctx.Err() == nil {
			notReady = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for gesso to be ready: %w; readyz: %w\n%s", ctx.Err(), notReady, g.Log())
		case <-g.exited:
			return fmt.Errorf("wait for gesso to be ready: it ended: %w\n%s", g.waitErr, g.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Get returns the body of a path of the health listener; an error for any status but 200.
func (g *Gesso) Get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.Health+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return body, err
}

// Registration returns what gesso webhooks prints for this server.
func (g *Gesso) Registration(ctx context.Context) ([]byte, error) {
	return g.RegistrationAt(ctx, "https://"+g.Reviews, g.CAFile)
}

// RegistrationAt is Registration for somebody else who stands before this server.
func (g *Gesso) RegistrationAt(ctx context.Context, url, caFile string) ([]byte, error) {
	args := append([]string{"webhooks", "--url", url, "--ca-bundle", caFile}, g.flags...)
	out, err := exec.CommandContext(ctx, g.Binary, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("gesso webhooks: %w", err)
	}
	return out, nil
}

// Register applies what gesso webhooks prints, and returns when the API server calls Gesso.
func (g *Gesso) Register(ctx context.Context, cp *controlplane.ControlPlane) error {
	manifest, err := g.Registration(ctx)
	if err != nil {
		return err
	}
	if _, stderr, err := cp.KubectlInput(ctx, bytes.NewReader(manifest), "apply", "-f", "-"); err != nil {
		return fmt.Errorf("register: %w\n%s", err, stderr)
	}
	return waitRegistered(ctx, cp)
}

// waitRegistered asks by dry-run until a Deployment of :latest is refused: only the API server itself knows when it has
// read its new configuration.
func waitRegistered(ctx context.Context, cp *controlplane.ControlPlane) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, stderr, err := cp.Kubectl(ctx, "create", "deployment", "probe", "--image=probe:latest", "--dry-run=server", "--namespace=default")
		if err != nil && strings.Contains(stderr, "[image-tag]") {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait until the API server calls gesso: %w; it answered last: %s", ctx.Err(), stderr)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Log returns what Gesso has logged.
func (g *Gesso) Log() string {
	raw, err := os.ReadFile(g.log)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// Stop ends Gesso as Kubernetes would: SIGTERM, and after a while SIGKILL. It returns an error when Gesso did not end by
// itself with status 0.
func (g *Gesso) Stop() error {
	select {
	case <-g.exited:
		return g.waitErr
	default:
	}
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop gesso: %w", err)
	}
	select {
	case <-g.exited:
	case <-time.After(15 * time.Second):
		_ = g.cmd.Process.Kill()
		<-g.exited
		return errors.New("stop gesso: it did not end within 15 s of SIGTERM")
	}
	return g.waitErr
}
