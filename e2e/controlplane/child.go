package controlplane

import (
	"os/exec"
	"syscall"
)

// Child starts cmd like a component of the control plane: in a process group of its own, and ended by the kernel (SIGTERM,
// Linux only) when this program dies first. The channel gets what cmd.Wait returns.
func Child(cmd *exec.Cmd) (ended <-chan error, err error) { return run(cmd, syscall.SIGTERM) }
