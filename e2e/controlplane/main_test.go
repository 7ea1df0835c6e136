package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childVariable makes the test binary a starter of a control plane that dies badly:
// "panic", or "wait" to be killed.
const childVariable = "GESSO_CONTROLPLANE_TEST_CHILD"

// childReport is what such a child writes to stdout, as JSON, when its control plane runs.
type childReport struct {
	PIDs []int
	Dir  string
}

func TestMain(m *testing.M) {
	if end := os.Getenv(childVariable); end != "" {
		if err := runChild(end); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func runChild(end string) error {
	c, err := Start(context.Background(), Options{Progress: os.Stderr})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(childReport{PIDs: pids(c), Dir: c.dir}); err != nil {
		return err
	}
	if end == "panic" {
		panic("the test binary panics")
	}
	time.Sleep(5 * time.Minute) // the parent kills us
	return errors.New("nobody killed the child")
}

// pids are the processes of a control plane in the order of their start.
func pids(c *ControlPlane) []int {
	return []int{c.etcd.pid(), c.apiServer.pid(), c.controllerManager.pid()}
}

// alive says whether a process runs. A zombie does not: where nobody reaps orphans, they
// stay in the table for ever.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) || !haveProc()
	}
	_, after, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(after, []byte("Z"))
}

func haveProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// processesOf finds every living process with text in its command line, by /proc.
func processesOf(t *testing.T, text string) []string {
	t.Helper()
	if !haveProc() {
		t.Skip("no /proc here")
	}
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(entries) == 0 {
		t.Fatalf("found no processes in /proc: %v", err)
	}
	var found []string
	for _, entry := range entries {
		line, err := os.ReadFile(entry)
		if err != nil { // ended meanwhile
			continue
		}
		if strings.Contains(string(line), text) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// eventually polls until ok returns nil.
func eventually(t *testing.T, timeout time.Duration, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %v", timeout, err)
		}
		time.Sleep(pollInterval)
	}
}
