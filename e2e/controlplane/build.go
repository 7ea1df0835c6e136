package controlplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	rootModule       = "github.com/gesso-dev/gesso"
	kubernetesModule = "k8s.io/kubernetes"
	etcdModule       = "go.etcd.io/etcd/server/v3"

	heartbeat    = 15 * time.Second // between two lines of a long build or wait
	lockInterval = 200 * time.Millisecond
)

// binary is one program of the nested module.
type binary struct {
	name     string
	pkg      string // what to build
	module   string // whose version it has
	estimate string // of a build with an empty Go cache, after those above it
	optional bool   // may be missing from KUBEBUILDER_ASSETS
}

// binaries lists the programs in the order in which they are built.
func binaries() []binary {
	return []binary{
		{name: etcdName, pkg: etcdModule, module: etcdModule, estimate: "about 1 minute"},
		{name: apiServerName, pkg: kubernetesModule + "/cmd/kube-apiserver", module: kubernetesModule, estimate: "about 5 minutes"},
		{name: controllerManagerName, pkg: kubernetesModule + "/cmd/kube-controller-manager", module: kubernetesModule, estimate: "about 3 minutes", optional: true},
		{name: kubectlName, pkg: kubernetesModule + "/cmd/kubectl", module: kubernetesModule, estimate: "about 1 minute", optional: true},
	}
}

// builder builds programs of the nested module into a folder of the cache.
type builder struct {
	module   string // folder of the nested module
	folder   string // where the programs go
	versions map[string]string
	flags    []string
	progress io.Writer
}

// buildMissing adds the paths of the missing programs to found, and builds those that
// are not in the cache.
func buildMissing(ctx context.Context, progress io.Writer, missing []binary, found map[string]string) error {
	b, err := newBuilder(ctx, progress)
	if err != nil {
		return err
	}
	unlock := func() {}
	defer func() { unlock() }()
	locked := false
	for _, m := range missing {
		found[m.name] = filepath.Join(b.folder, m.name)
		if executable(found[m.name]) == nil {
			continue
		}
		if !locked {
			if unlock, err = b.lock(ctx); err != nil {
				return err
			}
			locked = true
			// Somebody else may have built it while we waited.
			if executable(found[m.name]) == nil {
				continue
			}
		}
		if err := b.build(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func newBuilder(ctx context.Context, progress io.Writer) (*builder, error) {
	working, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find working directory: %w", err)
	}
	b := &builder{progress: progress, versions: map[string]string{}}
	if b.module, err = moduleFolder(working); err != nil {
		return nil, err
	}
	goMod, err := os.ReadFile(filepath.Join(b.module, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("read pinned versions: %w", err)
	}
	goSum, err := os.ReadFile(filepath.Join(b.module, "go.sum"))
	if err != nil {
		return nil, fmt.Errorf("read pinned versions: %w", err)
	}
	for _, module := range []string{kubernetesModule, etcdModule} {
		if b.versions[module], err = requiredVersion(goMod, module); err != nil {
			return nil, err
		}
	}
	if b.flags, err = buildFlags(b.versions[kubernetesModule]); err != nil {
		return nil, err
	}
	toolchain, err := b.goCommand(ctx, "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return nil, fmt.Errorf("run go (it builds the control plane; install Go, or set %s): %w", assetsVariable, err)
	}
	cache, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	b.folder = filepath.Join(cache, cacheKey(goMod, goSum, toolchain, []byte(strings.Join(b.flags, " "))))
	return b, nil
}

// moduleFolder finds the nested module from a folder inside the repository: it looks for
// the root module's go.mod there and above. Another module's go.mod on the way, such as
// that of the tools, is passed over.
func moduleFolder(from string) (string, error) {
	for folder := from; ; folder = filepath.Dir(folder) {
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find module of the binaries: %w", err)
		}
		for line := range strings.Lines(string(content)) {
			if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" && fields[1] == rootModule {
				return filepath.Join(folder, "e2e", "controlplane", "binaries"), nil
			}
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("find module of the binaries: %s is not inside a checkout of %s (go there, or set %s)",
				from, rootModule, assetsVariable)
		}
	}
}

// requiredVersion finds the version of a module in the require lines of a go.mod.
func requiredVersion(goMod []byte, module string) (string, error) {
	for line := range strings.Lines(string(goMod)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("read pinned versions: go.mod of the binaries does not require %s", module)
}

// buildFlags are those of every program. A release gets its version from the linker, and
// so must ours: without it, clients and admission see v0.0.0. The commit is left empty,
// which clients print as unknown, because a module zip does not say it.
func buildFlags(version string) ([]string, error) {
	major, rest, ok := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return nil, fmt.Errorf("read pinned versions: %s %s is not vMAJOR.MINOR.PATCH", kubernetesModule, version)
	}
	link := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, v := range [][2]string{
			{"gitVersion", version},
			{"gitMajor", major},
			{"gitMinor", minor},
			{"gitCommit", ""},
			{"gitTreeState", "archive"},
		} {
			link = append(link, "-X", pkg+"."+v[0]+"="+v[1])
		}
	}
	return []string{"-trimpath", "-buildvcs=false", "-ldflags", strings.Join(link, " ")}, nil
}

// cacheKey names the folder of everything that was built from the same parts.
func cacheKey(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d\n", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// goCommand runs go in the nested module, and gives it nothing by which the caller's own
// build (a workspace, -mod, -race, another platform) would change ours.
func (b *builder) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", append([]string{"-C", b.module}, args...)...)
	cmd.Env = append(os.Environ(),
		"GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	return cmd
}

// lock takes the folder for this process, and waits while another one has it. The lock
// ends with its process, however that ends.
func (b *builder) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(b.folder, 0o755); err != nil {
		return nil, fmt.Errorf("create cache folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(b.folder, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock of the cache: %w", err)
	}
	began := time.Now()
	announced := time.Time{}
	for {
		// Not blocking: a blocked flock would not see ctx end.
		err := tryLock(f)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, errLocked) {
			f.Close()
			return nil, fmt.Errorf("lock cache folder %s: %w", b.folder, err)
		}
		if time.Since(announced) >= heartbeat {
			announced = time.Now()
			fmt.Fprintf(b.progress, "waiting for another process that builds the control plane (%s so far)\n", elapsed(began))
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("wait for another build in %s: %w", b.folder, context.Cause(ctx))
		case <-time.After(lockInterval):
		}
	}
}

// build makes one program. It appears under its name only when it is complete.
func (b *builder) build(ctx context.Context, p binary) error {
	label := p.name + " " + b.versions[p.module]
	fmt.Fprintf(b.progress, "building %s from source (%s on 2 cores the first time, cached afterwards)\n", label, p.estimate)
	began := time.Now()

	// One name for all times: what a killed build left behind is overwritten.
	temporary := filepath.Join(b.folder, "."+p.name+".partial")
	args := append([]string{"build"}, b.flags...)
	cmd := b.goCommand(ctx, append(args, "-o", temporary, p.pkg)...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// The whole group, because go has compilers running; SIGINT, because go cleans up.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = stopGrace
	ended, err := run(cmd, syscall.SIGINT)
	if err != nil {
		return fmt.Errorf("build %s: %w", label, err)
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			fmt.Fprintf(b.progress, "still building %s (%s so far)\n", label, elapsed(began))
			continue
		case err = <-ended:
		}
		break
	}
	if ctx.Err() != nil {
		return fmt.Errorf("build %s: %w", label, context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", label, err, lastLines(output.String(), failureLines))
	}
	if err := os.Rename(temporary, filepath.Join(b.folder, p.name)); err != nil {
		return fmt.Errorf("build %s: %w", label, err)
	}
	fmt.Fprintf(b.progress, "built %s in %s\n", label, elapsed(began))
	return nil
}

func elapsed(since time.Time) time.Duration {
	return time.Since(since).Round(time.Second)
}
