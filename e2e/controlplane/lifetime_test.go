package controlplane

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestStarterDies starts control planes from child processes that end without Stop.
func TestStarterDies(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends the children of a dead process")
	}
	// The child must not spend its time on a build.
	if _, err := FindAssets(t.Context(), os.Stderr); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		end        string
		kill       bool
		wantStderr string
	}{
		"panics":    {end: "panic", wantStderr: "panic: the test binary panics"},
		"is killed": {end: "wait", kill: true},
	} {
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0])
			// Its temporary folder stays behind; ours is removed.
			child.Env = append(os.Environ(), childVariable+"="+tc.end, "TMPDIR="+t.TempDir())
			var stderr bytes.Buffer
			child.Stderr = &stderr
			stdout, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			var report childReport
			if err := json.NewDecoder(stdout).Decode(&report); err != nil {
				t.Fatalf("read the child's report: %v (%v)\n%s", err, child.Wait(), &stderr)
			}
			if tc.kill {
				// It lives now, so that what is missing below died of its death.
				if found := processesOf(t, report.Dir); len(found) != 3 {
					t.Errorf("the child runs %d processes, want 3: %q", len(found), found)
				}
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			if err := child.Wait(); err == nil {
				t.Error("the child ended well")
			}
			if !strings.Contains(stderr.String(), tc.wantStderr) {
				t.Errorf("the child's stderr lacks %q:\n%s", tc.wantStderr, &stderr)
			}
			eventually(t, 10*time.Second, func() error {
				for _, pid := range report.PIDs {
					if alive(pid) {
						return fmt.Errorf("process %d of %v outlives its starter", pid, report.PIDs)
					}
				}
				return nil
			})
		})
	}
}

func TestStartFails(t *testing.T) {
	built, err := FindAssets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	hangs := built
	hangs.Etcd = writeScript(t, t.TempDir(), etcdName, "#!/bin/sh\necho silence\nexec sleep 600\n")
	gone := built
	gone.APIServer = filepath.Join(t.TempDir(), "gone")
	for name, tc := range map[string]struct {
		assets  Assets
		flags   []string
		timeout time.Duration // 0: long enough on a busy machine
		want    []string
	}{
		"a flag that the server does not know": {
			assets: built,
			flags:  []string{"--no-such-flag"},
			want:   []string{"kube-apiserver ended: exit status 1", "unknown flag: --no-such-flag"},
		},
		"a component that never answers": {
			assets:  hangs,
			timeout: time.Second,
			want:    []string{"await etcd's /health: context deadline exceeded", "\nsilence"},
		},
		"a missing binary": {
			assets: gone,
			want:   []string{"start kube-apiserver: ", "no such file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(tc.timeout, time.Minute))
			defer cancel()
			c, err := Start(ctx, Options{Assets: tc.assets, APIServerFlags: tc.flags})
			if err == nil {
				t.Fatalf("started: %v", c.Stop())
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error lacks %q:\n%v", part, err)
				}
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
				t.Errorf("left in the temporary folder: %v, %v", left, err)
			}
			if found := processesOf(t, temporary); len(found) != 0 {
				t.Errorf("processes left: %q", found)
			}
		})
	}
}

// TestChildrenOutliveThreads ends threads of this process, which must not end children.
func TestChildrenOutliveThreads(t *testing.T) {
	var children []*exec.Cmd
	for range 20 {
		cmd := exec.CommandContext(t.Context(), "sleep", "600") // killed at the test's end
		ended, err := run(cmd, syscall.SIGKILL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := <-ended; err == nil {
				t.Error("a child ended by itself")
			}
		})
		children = append(children, cmd)
		// A goroutine that ends with its thread locked takes the thread along.
		var g sync.WaitGroup
		for range 20 {
			g.Go(func() {
				runtime.LockOSThread()
				time.Sleep(time.Millisecond)
			})
		}
		g.Wait()
	}
	for _, cmd := range children {
		if !alive(cmd.Process.Pid) {
			t.Errorf("child %d died", cmd.Process.Pid)
		}
	}
}

func TestSweep(t *testing.T) {
	in := t.TempDir()
	living, err := newTemporary(in)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := newTemporary(in)
	if err != nil {
		t.Fatal(err)
	}
	dead.lock.Close() // as the end of its process would
	foreign := filepath.Join(in, temporaryPrefix+"foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	sweep(in)
	if exists(dead.path) {
		t.Error("the folder of a dead owner is still there")
	}
	if !exists(living.path) || !exists(foreign) {
		t.Error("a folder that is not abandoned was removed")
	}
	if err := living.remove(); err != nil || exists(living.path) {
		t.Errorf("remove: %v", err)
	}
}

// TestPortTaken takes the API server's port in the gap that a start leaves.
func TestPortTaken(t *testing.T) {
	assets, err := FindAssets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]func(*ControlPlane) string{
		"etcd":           func(c *ControlPlane) string { return c.etcdURL },
		"kube-apiserver": func(c *ControlPlane) string { return c.host },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := prepare(Options{Assets: assets, Dir: t.TempDir(), Progress: io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			at, err := url.Parse(address(c))
			if err != nil {
				t.Fatal(err)
			}
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			err = c.launch(t.Context())
			if !errors.Is(err, errPortTaken) {
				t.Errorf("launch: %v, want %v", err, errPortTaken)
			}
			if err := c.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStartTriesAgain has a kube-apiserver that finds its port taken the first time.
func TestStartTriesAgain(t *testing.T) {
	assets, err := FindAssets(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	once := filepath.Join(folder, "once")
	script := "#!/bin/sh\nif mkdir '" + once + "'; then echo 'bind: address already in use'; exit 1; fi\n" +
		"exec '" + assets.APIServer + "' \"$@\"\n"
	assets.APIServer = writeScript(t, folder, apiServerName, script)

	var progress bytes.Buffer
	kept := filepath.Join(folder, "kept")
	c := ForTest(t, Options{Assets: assets, Dir: kept, Progress: &progress})
	if !strings.Contains(progress.String(), "starting again") {
		t.Errorf("progress tells of no second attempt:\n%s", &progress)
	}
	if _, stderr, err := c.Kubectl(t.Context(), "get", "serviceaccount", "default"); err != nil {
		t.Errorf("%v: %s", err, stderr)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if got := c.LogTail(5); !strings.Contains(got, "== kube-apiserver\n") || strings.Contains(got, "(no log") {
		t.Errorf("the logs are not in the kept folder: %s", got)
	}
	if _, err := Start(t.Context(), Options{Assets: assets, Dir: kept}); err == nil ||
		!strings.Contains(err.Error(), "holds a control plane already") {
		t.Errorf("start in a used folder: %v", err)
	}
	if !exists(kept) {
		t.Error("the chosen folder was removed")
	}
}

// writeScript writes an executable file and returns its path.
func writeScript(t *testing.T, folder, name, script string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
