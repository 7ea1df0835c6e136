// Package controlplane runs a real Kubernetes control plane on this machine: etcd,
// kube-apiserver and kube-controller-manager, without Docker, kubelet or root.
//
// Everything listens on 127.0.0.1 on free ports, keeps its state in one folder, and
// dies with the process that started it. The binaries come from the folder that
// KUBEBUILDER_ASSETS names, else they are built once from the pinned module in
// binaries/ and kept in the user's cache; see [FindAssets].
//
// A test takes one with [ForTest]. A package that shares one among its tests calls
// [Start] and [ControlPlane.Stop] in TestMain. There is no kubelet and no scheduler:
// controllers create Pods, and the Pods stay Pending.
//
// Linux and macOS. Only on Linux does the kernel end the processes when their starter
// is killed; elsewhere a SIGKILLed starter leaves them behind.
package controlplane

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// Options says how Start runs a control plane. The zero value is ready to use.
type Options struct {
	// Assets are the binaries to run. The zero value stands for FindAssets.
	Assets Assets

	// Dir keeps data, logs, keys and kubeconfigs, and outlives Stop. It is created when
	// missing, and must not hold a control plane already. Empty: a temporary folder,
	// removed by Stop.
	Dir string

	// Progress receives one line of text for each step of building and starting.
	// Nil: nothing is written.
	Progress io.Writer

	// APIServerFlags are appended to the flags of kube-apiserver, for example
	// "--feature-gates=X=true". A flag that takes one value overrides ours.
	APIServerFlags []string

	// Audit is the file to which kube-apiserver appends its audit log, one JSON event a
	// line: with the request body for people's requests, metadata for the components'.
	// Empty: no audit log.
	Audit string
}

// ControlPlane is a running control plane. Its methods may be called concurrently.
type ControlPlane struct {
	assets     Assets
	dir        string
	temporary  *temporary // nil: dir was chosen and stays
	progress   io.Writer
	keys       *keys
	host       string // https://127.0.0.1:PORT
	kubeconfig string

	etcdURL        string
	etcdFlags      []string
	apiServerFlags []string

	mu                sync.Mutex // guards what follows
	etcd              *process
	apiServer         *process
	controllerManager *process
	kubeconfigs       int // how many KubeconfigFor has written
	stopped           bool
	stopErr           error
}

var errStopped = errors.New("the control plane is stopped")

// Dir is the folder that holds data, logs, keys and kubeconfigs.
func (c *ControlPlane) Dir() string { return c.dir }

// Host is the URL of the API server, "https://127.0.0.1:PORT". It stays the same over
// RestartAPIServer.
func (c *ControlPlane) Host() string { return c.host }

// Config returns a new client configuration for an administrator (system:masters), with
// limits high enough for a client under test never to be throttled by itself.
func (c *ControlPlane) Config() *rest.Config {
	return c.config(c.keys.admin)
}

// Kubeconfig is the path of a kubeconfig file for an administrator (system:masters),
// inside Dir.
func (c *ControlPlane) Kubeconfig() string { return c.kubeconfig }

// LogTail returns the last lines of each process's log, at most n lines each, under a
// heading that names the process. It answers after Stop too if Dir was given.
func (c *ControlPlane) LogTail(n int) string {
	var b strings.Builder
	for _, name := range []string{etcdName, apiServerName, controllerManagerName} {
		b.WriteString("== " + name + "\n" + logTail(logFile(c.dir, name), n) + "\n")
	}
	return b.String()
}

func logFile(dir, process string) string {
	return filepath.Join(dir, "logs", process+".log")
}
