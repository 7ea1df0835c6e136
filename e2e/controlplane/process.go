package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// stopGrace is how long a process may take to end after SIGTERM.
	stopGrace = 15 * time.Second
	// pollInterval is how often a process that starts is asked whether it is ready.
	pollInterval = 50 * time.Millisecond
	// failureLines is how many lines of a process's log an error carries.
	failureLines = 25
)

// errPortTaken marks a start that failed because another process took a port between
// our choosing it and the component's listening on it.
var errPortTaken = errors.New("a port is taken by another process")

// process is one child that we started, and the only kind of thing that we ever signal.
type process struct {
	name string
	log  string // path of its output
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and been waited for
	err  error         // how it ended; read only after done
}

// run starts cmd in a process group of its own and waits for it in the background. The
// kernel sends it deathSignal should this program die first (Linux only).
//
// The death signal fires when the thread that forked the child ends, and not only when
// the whole program does. The Go runtime ends threads as it likes, so the goroutine that
// forks keeps its thread to itself until the child is gone.
func run(cmd *exec.Cmd, deathSignal syscall.Signal) (done <-chan error, err error) {
	cmd.SysProcAttr = childAttributes(deathSignal)
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		ended <- cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return ended, nil
}

// startProcess runs one component with its output in log, which is truncated unless
// appending. It gets nothing of our environment but PATH: no proxy, no kubeconfig, no
// cloud credentials.
func startProcess(name, binary, dir, log string, appending bool, args []string) (*process, error) {
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if appending {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	output, err := os.OpenFile(log, mode, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	defer output.Close() // the child has its own copy

	// No context: it must outlive the context of Start, and Stop ends it.
	cmd := exec.Command(binary, args...) //nolint:noctx // see above
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	cmd.Stdout, cmd.Stderr = output, output
	ended, err := run(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = <-ended
		close(p.done)
	}()
	return p, nil
}

// pid is the process id. It names our child only until done is closed.
func (p *process) pid() int { return p.cmd.Process.Pid }

// await polls ready until it returns nil. It fails when ctx ends or the process does,
// with the end of the process's log; the error is errPortTaken when the log says so.
func (p *process) await(ctx context.Context, what string, ready func(context.Context) error) error {
	// A question to a port that somebody else has may hang: it ends with the process.
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-asking.Done():
		}
	}()
	for {
		err := ready(asking)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.failure(what, fmt.Errorf("%s ended: %w", p.name, endError(p.err)))
		case <-ctx.Done():
			return p.failure(what, fmt.Errorf("%w; last answer: %w", context.Cause(ctx), err))
		case <-time.After(pollInterval):
		}
	}
}

func endError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

func (p *process) failure(what string, err error) error {
	tail := logTail(p.log, failureLines)
	if strings.Contains(tail, "address already in use") {
		err = fmt.Errorf("%w: %w", errPortTaken, err)
	}
	return fmt.Errorf("await %s: %w\nlast lines of %s:\n%s", what, err, p.log, tail)
}

// stop ends the process: SIGTERM, and SIGKILL after the grace. It returns
// when the process has been waited for, with an error if it had to be killed. A nil
// process, and one that has ended, are stopped already.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		return nil
	default:
	}
	// os.Process refuses to signal a child that has been waited for, so this cannot hit
	// a stranger with a recycled id.
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopGrace):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.done
	return fmt.Errorf("stop %s: still running %s after SIGTERM, killed", p.name, stopGrace)
}

// logTail returns the last n lines of a file, of its last 64 KiB at most, or says why it
// cannot.
func logTail(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	defer f.Close()
	const most = 64 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return "(no log: " + err.Error() + ")"
		}
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	return lastLines(string(content), n)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
