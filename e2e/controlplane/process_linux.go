package controlplane

import "syscall"

// childAttributes puts a child into its own process group, so that Ctrl-C in a terminal
// reaches only us and Stop keeps the order, and ties its life to ours.
func childAttributes(deathSignal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: deathSignal}
}
