// Package argocd asks Argo CD's own engine what it makes of a cluster with Gesso in it. The engine pins another Kubernetes than
// Gesso does, so it lives in a program of a module of its own, e2e/argodiff, that answers questions over a pipe.
package argocd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// How says how Argo CD applies a manifest.
type How string

// The ways: the usual one, and the sync options ServerSideApply=true and Replace=true.
const (
	ClientSide How = "client-side"
	ServerSide How = "server-side"
	Replace    How = "replace"
)

// Mode says how Argo CD compares a manifest with what is live.
type Mode string

// The modes. The last is ServerSideDiff=true with IncludeMutationWebhook=true.
const (
	Legacy             Mode = "legacy"
	StructuredMerge    Mode = "structured-merge"
	ServerSideDiff     Mode = "server-side"
	ServerSideMutation Mode = "server-side-mutation"
)

// Modes returns all modes.
func Modes() []Mode { return []Mode{Legacy, StructuredMerge, ServerSideDiff, ServerSideMutation} }

// Verdict is what Argo CD shows for an object in one mode.
type Verdict struct {
	OutOfSync bool     `json:"outOfSync"`
	Paths     []string `json:"paths"` // JSON pointers to what differs
	Error     string   `json:"error"` // why there is no verdict
}

// Synced says whether Argo CD shows Synced.
func (v Verdict) Synced() bool { return !v.OutOfSync && v.Error == "" }

func (v Verdict) String() string {
	switch {
	case v.Error != "":
		return "Unknown: " + v.Error
	case !v.OutOfSync:
		return "Synced"
	}
	return fmt.Sprintf("OutOfSync %v", v.Paths)
}

// Argo is a running argodiff. It answers one question at a time.
type Argo struct {
	in      io.WriteCloser
	answers *json.Decoder
	ended   <-chan error
}

const heartbeat = 15 * time.Second // between two lines of a long build

// goRun returns the command that builds argodiff, if that has to be, and runs it. The go command keeps the program in its cache.
func goRun(ctx context.Context, root string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", "run", "-buildvcs=false", ".")
	cmd.Dir = filepath.Join(root, "e2e", "argodiff")
	// Nothing by which the caller's own build (a workspace, -race) would change this one.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
	return cmd
}

// Build builds argodiff in the checkout at root, so that the next start takes no minutes. It tells progress if it takes long.
func Build(ctx context.Context, root string, progress io.Writer) error {
	built := make(chan error, 1)
	go func() {
		out, err := goRun(ctx, root).CombinedOutput() // asked nothing, it ends at once
		if err != nil {
			err = fmt.Errorf("build argodiff: %w\n%s", err, out)
		}
		built <- err
	}()
	began := time.Now()
	for {
		select {
		case err := <-built:
			return err
		case <-time.After(heartbeat):
			fmt.Fprintf(progress, "building Argo CD's diff from source (about 5 minutes on 2 cores the first time, cached afterwards; %s so far)\n",
				time.Since(began).Round(time.Second))
		}
	}
}

// Start runs argodiff from the checkout at root for a cluster. What it caches is in dir; what it logs goes to log.
func Start(ctx context.Context, root, kubeconfig, dir string, log io.Writer) (*Argo, error) {
	cmd := goRun(ctx, root)
	cmd.Env = append(cmd.Env, "KUBECONFIG="+kubeconfig, "KUBECACHEDIR="+dir)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start argodiff: %w", err)
	}
	// Not StdoutPipe: that would be closed when the program has ended, before the last answer was read.
	out, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start argodiff: %w", err)
	}
	cmd.Stdout = write
	ended, err := controlplane.Child(cmd)
	if err = errors.Join(err, write.Close()); err != nil {
		return nil, fmt.Errorf("start argodiff: %w", err)
	}
	return &Argo{in: in, answers: json.NewDecoder(out), ended: ended}, nil
}

// Stop ends argodiff.
func (a *Argo) Stop() error {
	if err := errors.Join(a.in.Close(), <-a.ended); err != nil {
		return fmt.Errorf("argodiff: %w", err)
	}
	return nil
}

// Sync applies a manifest for real.
func (a *Argo) Sync(how How, git map[string]any) error {
	_, err := a.ask(question{Do: "sync", How: how, Git: git})
	return err
}

// Create returns what the first sync of a manifest would store, and leaves nothing behind.
func (a *Argo) Create(how How, git map[string]any) (live map[string]any, err error) {
	result, err := a.ask(question{Do: "create", How: how, Git: git})
	return result.Live, err
}

// Diff compares a manifest with the cluster, and returns what it found there.
func (a *Argo) Diff(git map[string]any, modes ...Mode) (live map[string]any, verdicts map[Mode]Verdict, err error) {
	result, err := a.ask(question{Do: "diff", Git: git, Modes: modes})
	return result.Live, result.Verdicts, err
}

// DiffWith compares a manifest with an object.
func (a *Argo) DiffWith(git, live map[string]any, modes ...Mode) (map[Mode]Verdict, error) {
	if slices.Contains(modes, ServerSideDiff) || slices.Contains(modes, ServerSideMutation) {
		return nil, errors.New("a server-side diff asks the cluster, where this object is not")
	}
	result, err := a.ask(question{Do: "diff", Git: git, Live: live, Modes: modes})
	return result.Verdicts, err
}

// question and answer are those of argodiff.
type question struct {
	Do    string         `json:"do"`
	How   How            `json:"how,omitempty"`
	Git   map[string]any `json:"git"`
	Live  map[string]any `json:"live,omitempty"`
	Modes []Mode         `json:"modes,omitempty"`
}

type answer struct {
	Error    string           `json:"error"`
	Live     map[string]any   `json:"live"`
	Verdicts map[Mode]Verdict `json:"verdicts"`
}

func (a *Argo) ask(q question) (answer, error) {
	if err := json.NewEncoder(a.in).Encode(q); err != nil {
		return answer{}, fmt.Errorf("ask argodiff: %w", err)
	}
	var result answer
	if err := a.answers.Decode(&result); err != nil {
		return answer{}, fmt.Errorf("read argodiff's answer: %w", err)
	}
	if result.Error != "" {
		return answer{}, errors.New(result.Error)
	}
	return result, nil
}
