package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// startTimeout bounds one start, on a machine that is busy with other things.
	startTimeout = 2 * time.Minute
	// startAttempts is how often a start is tried when a port gets taken meanwhile.
	startAttempts = 3
)

// Start runs a control plane and returns when it is ready: the API server says so, and
// the ServiceAccount "default" in the namespace "default" exists, which takes a working
// controller manager. It may build the binaries first, see FindAssets.
//
// ctx bounds the start (beside a limit of two minutes after any building), not the life
// of the control plane: call Stop. An error carries the last lines of the log of the
// process that failed, and leaves neither process nor temporary folder.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Assets == (Assets{}) {
		assets, err := FindAssets(ctx, o.Progress)
		if err != nil {
			return nil, fmt.Errorf("start control plane: %w", err)
		}
		o.Assets = assets
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready after %s", startTimeout))
	defer cancel()

	for attempt := 1; ; attempt++ {
		c, err := prepare(o)
		if err != nil {
			return nil, fmt.Errorf("start control plane: %w", err)
		}
		if err = c.launch(ctx); err == nil {
			return c, nil
		}
		// What could not be stopped or removed comes second to why it did not start.
		err = errors.Join(err, c.Stop())
		if !errors.Is(err, errPortTaken) || attempt == startAttempts || ctx.Err() != nil {
			return nil, fmt.Errorf("start control plane: %w", err)
		}
		fmt.Fprintln(o.Progress, "starting again: a port was taken meanwhile")
		if c.temporary == nil {
			if err := os.RemoveAll(filepath.Join(c.dir, etcdName)); err != nil {
				return nil, fmt.Errorf("start control plane: %w", err)
			}
		}
	}
}

// prepare lays out the folder, the keys and the kubeconfig, and chooses ports.
func prepare(o Options) (c *ControlPlane, err error) {
	c = &ControlPlane{assets: o.Assets, dir: o.Dir, progress: o.Progress}
	if c.dir == "" {
		sweep(os.TempDir())
		if c.temporary, err = newTemporary(os.TempDir()); err != nil {
			return nil, err
		}
		c.dir = c.temporary.path
		defer func() {
			if err != nil {
				err = errors.Join(err, c.temporary.remove())
			}
		}()
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return nil, fmt.Errorf("resolve folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, etcdName)); err == nil {
		return nil, fmt.Errorf("folder %s holds a control plane already; choose an empty one", c.dir)
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "logs"), 0o700); err != nil {
		return nil, fmt.Errorf("create folder: %w", err)
	}
	if c.keys, err = writeKeys(filepath.Join(c.dir, "keys")); err != nil {
		return nil, err
	}
	return c, c.configure(o)
}

// configure chooses the ports and everything that follows from them.
func (c *ControlPlane) configure(o Options) error {
	free, err := freePorts(3)
	if err != nil {
		return err
	}
	p := ports{etcd: free[0], etcdPeer: free[1], apiServer: free[2]}
	c.host = fmt.Sprintf("https://127.0.0.1:%d", p.apiServer)
	c.etcdURL = fmt.Sprintf("https://127.0.0.1:%d", p.etcd)
	c.etcdFlags = etcdFlags(c.dir, p)
	c.apiServerFlags = apiServerFlags(c.dir, p)
	if o.Audit != "" {
		file, err := filepath.Abs(o.Audit)
		if err != nil {
			return fmt.Errorf("resolve audit log: %w", err)
		}
		if err := os.WriteFile(auditPolicyFile(c.dir), []byte(auditPolicy), 0o600); err != nil {
			return fmt.Errorf("write audit policy: %w", err)
		}
		c.apiServerFlags = append(c.apiServerFlags, auditFlags(c.dir, file)...)
	}
	c.apiServerFlags = append(c.apiServerFlags, o.APIServerFlags...)

	c.kubeconfig = filepath.Join(c.dir, "kubeconfig")
	return c.writeKubeconfig(c.kubeconfig, "admin", c.keys.admin)
}

// freePorts finds n ports that are free on loopback now. It holds all of them until the
// last is found, so that they differ; somebody else may still be faster afterwards.
func freePorts(n int) ([]int, error) {
	found := make([]int, 0, n)
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // does not block
		if err != nil {
			return nil, fmt.Errorf("find free port: %w", err)
		}
		defer l.Close()
		address, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("find free port: address %s is not TCP", l.Addr())
		}
		found = append(found, address.Port)
	}
	return found, nil
}

// launch starts the three processes, each when the one that it needs is ready.
func (c *ControlPlane) launch(ctx context.Context) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := time.Now()

	c.say("starting etcd")
	c.etcd, err = startProcess(etcdName, c.assets.Etcd, c.dir, logFile(c.dir, etcdName), false, c.etcdFlags)
	if err != nil {
		return err
	}
	if err := c.awaitEtcd(ctx); err != nil {
		return err
	}
	c.say("starting kube-apiserver")
	if err := c.launchAPIServer(ctx, false); err != nil {
		return err
	}
	c.say("starting kube-controller-manager")
	kubeconfig := filepath.Join(c.dir, "keys", "controller-manager.kubeconfig")
	if err := c.writeKubeconfig(kubeconfig, "controller-manager", c.keys.manager); err != nil {
		return err
	}
	c.controllerManager, err = startProcess(controllerManagerName, c.assets.ControllerManager, c.dir,
		logFile(c.dir, controllerManagerName), false, controllerManagerFlags(c.dir, kubeconfig))
	if err != nil {
		return err
	}
	if err := c.awaitServiceAccount(ctx); err != nil {
		return err
	}
	c.say("control plane ready at %s after %.1fs", c.host, time.Since(began).Seconds())
	return nil
}

func (c *ControlPlane) say(format string, args ...any) {
	fmt.Fprintf(c.progress, format+"\n", args...)
}

// launchAPIServer starts kube-apiserver and waits until it is ready. c.mu is held.
func (c *ControlPlane) launchAPIServer(ctx context.Context, again bool) (err error) {
	c.apiServer, err = startProcess(apiServerName, c.assets.APIServer, c.dir,
		logFile(c.dir, apiServerName), again, c.apiServerFlags)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	return c.apiServer.await(ctx, "kube-apiserver's /readyz", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		// A failing check answers with the list of all, which ends up in the error.
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

func (c *ControlPlane) awaitEtcd(ctx context.Context) error {
	pair, err := tls.X509KeyPair(c.keys.etcdClient.cert, c.keys.etcdClient.key)
	if err != nil {
		return fmt.Errorf("load etcd client certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.keys.etcdCA.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		RootCAs:      roots,
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	return c.etcd.await(ctx, "etcd's /health", func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.etcdURL+"/health", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %s", response.Status)
		}
		return nil
	})
}

func (c *ControlPlane) awaitServiceAccount(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	return c.controllerManager.await(ctx, "the ServiceAccount default/default", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// RestartAPIServer stops kube-apiserver and starts it again on the same port and data,
// and returns when it is ready. ctx bounds the wait beside a limit of two minutes; after
// an error there may be no API server, and Stop is still due.
func (c *ControlPlane) RestartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return fmt.Errorf("restart kube-apiserver: %w", errStopped)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready after %s", startTimeout))
	defer cancel()
	if err := c.apiServer.stop(); err != nil {
		return fmt.Errorf("restart kube-apiserver: %w", err)
	}
	if err := c.launchAPIServer(ctx, true); err != nil {
		return fmt.Errorf("restart kube-apiserver: %w", err)
	}
	return nil
}

// Stop ends the processes in the reverse order of their start and removes the temporary
// folder. Each process gets 15 seconds after SIGTERM before it is killed. Further calls
// do nothing and return what the first returned: nil, or what had to be killed or could
// not be removed.
func (c *ControlPlane) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return c.stopErr
	}
	c.stopped = true
	var failures []error
	for _, p := range slices.Backward([]*process{c.etcd, c.apiServer, c.controllerManager}) {
		failures = append(failures, p.stop())
	}
	if c.temporary != nil {
		failures = append(failures, c.temporary.remove())
	}
	if err := errors.Join(failures...); err != nil {
		c.stopErr = fmt.Errorf("stop control plane: %w", err)
	}
	return c.stopErr
}
