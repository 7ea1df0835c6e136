// Package process runs the servers that are measured, each in a process of its own, and reads from the kernel what they cost: so the load
// generator is never counted.
package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// Server is a server that runs.
type Server struct {
	Name string
	// Reviews is the address over TLS, Health that over plain HTTP; CAFile is a PEM file.
	Reviews, Health, CAFile string
	// Ready is how long it took from the start of the process to the first 200 of /readyz.
	Ready time.Duration

	cmd    *exec.Cmd
	log    string
	exited chan struct{}
	err    error // read after exited
}

// Options say what is started.
type Options struct {
	Name   string
	Binary string
	// Args are given the flags for addresses: every server here takes those of gesso serve.
	Args []string
	Env  []string // beside that of this process
	Dir  string   // for its files
}

// Start starts a server and returns when it is ready.
func Start(ctx context.Context, o Options) (*Server, error) {
	dir := filepath.Join(o.Dir, o.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &Server{Name: o.Name, CAFile: filepath.Join(dir, "ca.pem"), log: filepath.Join(dir, "log"), exited: make(chan struct{})}
	addresses := filepath.Join(dir, "addresses.json")
	if err := os.Remove(addresses); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()            // the child has its own copy
	s.cmd = exec.Command(o.Binary, append(o.Args, //nolint:noctx // stopped by Stop, with a drain
		"--host", "127.0.0.1", "--port", "0", "--health-address", "127.0.0.1:0", "--drain-delay", "0s",
		"--ca-file", s.CAFile, "--address-file", addresses)...)
	s.cmd.Env = append(os.Environ(), o.Env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	began := time.Now()
	ended, err := controlplane.Child(s.cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	go func() {
		s.err = <-ended
		close(s.exited)
	}()
	if err := s.wait(ctx, addresses); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.Ready = time.Since(began)
	return s, nil
}

// wait asks often: how long a start takes is one of the figures.
func (s *Server) wait(ctx context.Context, addresses string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for !s.ready(ctx, addresses) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w\n%s", s.Name, ctx.Err(), s.Log())
		case <-s.exited:
			return fmt.Errorf("%s ended before it was ready: %w\n%s", s.Name, s.err, s.Log())
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}

func (s *Server) ready(ctx context.Context, addresses string) bool {
	if s.Health == "" {
		var a struct{ Reviews, Health string }
		raw, err := os.ReadFile(addresses)
		if err != nil || json.Unmarshal(raw, &a) != nil {
			return false
		}
		s.Reviews, s.Health = a.Reviews, a.Health
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Health+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Pid is that of the process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// CPU is what the process has used so far, user and system, of all its threads.
func (s *Server) CPU() (time.Duration, error) { return cpuOf(s.Pid()) }

// RSS is the memory that the process holds, in bytes.
func (s *Server) RSS() (int64, error) { return rssOf(s.Pid()) }

// Log is the end of what the server wrote.
func (s *Server) Log() string {
	raw, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(raw, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

// Stop ends the server and waits for it.
func (s *Server) Stop() error {
	select {
	case <-s.exited:
		return s.err
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", s.Name, err)
	}
	select {
	case <-s.exited:
		return s.err
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
		return fmt.Errorf("stop %s: it did not end within 15 s of SIGTERM", s.Name)
	}
}
