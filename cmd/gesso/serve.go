package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/cluster"
	"github.com/gesso-dev/gesso/policies"
	"github.com/gesso-dev/gesso/webhook"
)

// serveFlags are the flags of gesso serve.
type serveFlags struct {
	engineFlags
	host         string
	port         int
	healthAddr   string
	namespace    string
	service      string
	kubeconfig   string
	caFile       string
	addressFile  string
	drainDelay   time.Duration
	certificates []string
	strict       bool
	shadow       uint64
}

func newServeCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the admission webhook",
		Long: `Serve the admission webhook over TLS until SIGTERM, then drain: not ready first, reviews are still served for --drain-delay,
and those in flight finish.

The Profile, the policies and the exceptions are read again when their files change, and are in force within a second. A policy that
does not compile costs nobody but itself: its last good version serves on, and at the start it is left out. A Profile that cannot be
read leaves everything as it was. /statusz and the metrics tell of both.

The certificate is made at start and kept in memory; --ca-file writes the CA for gesso webhooks --ca-bundle. The API server is
asked for nothing but the metadata of Namespaces, the two webhook configurations called gesso, and the kinds that the policies read.`,
		Example: `  gesso serve --profile /etc/gesso/profile.yaml --policies /etc/gesso/policies`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.serve(cmd) },
	}
	flags.register(cmd)
	f := cmd.Flags()
	f.StringVar(&flags.host, "host", "", "`ADDRESS` to listen on for reviews; without it every address")
	f.IntVar(&flags.port, "port", 9443, "`PORT` to listen on for reviews; 0 chooses a free one")
	f.StringVar(&flags.healthAddr, "health-address", ":8080", "`HOST:PORT` of /healthz, /readyz, /statusz and /metrics; port 0 chooses a free one")
	f.StringVar(&flags.namespace, "namespace", cmp.Or(os.Getenv("POD_NAMESPACE"), "gesso-system"), "namespace that Gesso runs in; left alone (environment: POD_NAMESPACE)")
	f.StringVar(&flags.service, "service", "gesso", "name of Gesso's Service, for the certificate")
	f.StringVar(&flags.kubeconfig, "kubeconfig", "", "kubeconfig `FILE`; without it the Pod's own account")
	f.StringVar(&flags.caFile, "ca-file", "", "`FILE` to write the CA bundle to, PEM")
	f.StringVar(&flags.addressFile, "address-file", "", "`FILE` to write the addresses to once they are chosen, JSON")
	f.DurationVar(&flags.drainDelay, "drain-delay", 10*time.Second, "how long reviews are served after SIGTERM")
	f.StringArrayVar(&flags.certificates, "certificate-name", nil, "further DNS `NAME` or IP address that the certificate is good for; may be repeated")
	f.BoolVar(&flags.strict, "strict-policies", false, "do not become ready while a policy cannot be used; without it such a policy is left out")
	f.Uint64Var(&flags.shadow, "shadow", 1000, "judge one of every `N` reviews on the whole request too, which must not change the decision; 0 for none")
	completeFiles(cmd, "kubeconfig")
	return cmd
}

func (f *serveFlags) serve(cmd *cobra.Command) error {
	ctx := cmd.Context()
	memory := newCollector()
	log := logr.FromSlogHandler(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	klog.SetLogger(log)
	ctrllog.SetLogger(log)

	watch, err := f.watch(log)
	if err != nil {
		return err
	}
	defer watch.inventory.Stop()
	r := &reloader{flags: &f.engineFlags, ownNamespace: f.namespace, inventories: watch.inventory, log: log.WithName("reload")}
	files := newFileWatch(log.WithName("files"), r.trees()...) // before they are read, so that no change is missed
	server, err := f.server(ctx, r, watch, log)
	if err != nil {
		return err
	}

	// What watches outlives the signal by the drain: reviews that are still served need their Namespaces.
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	failed := make(chan error, 1)
	go watch.registrations.Start(watching)
	go func() { failed <- watch.namespaces.Start(watching) }()
	go files.run(watching, r.reload)
	go func() {
		r.judging.Wait() // the start is not over before
		memory.run(watching)
	}()

	log.Info("serving", "version", buildVersion(), "revision", r.current.pointer.Load().Revision(), "address", server.Addr().String(), "health", server.HealthAddr())
	err = server.Run(ctx)
	stopWatching()
	return errors.Join(err, <-failed)
}

// watch is everything that serve knows of the cluster.
type watch struct {
	namespaces    *cluster.Namespaces
	registrations *cluster.Registrations
	inventory     *cluster.Inventory
}

func (f *serveFlags) watch(log logr.Logger) (*watch, error) {
	config, err := clusterConfig(f.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = "gesso/" + buildVersion()
	config.QPS, config.Burst = 50, 100 // a large inventory is read in many pages, and Ready waits for it
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	var w watch
	if w.namespaces, err = cluster.NewNamespaces(meta, log.WithName("namespaces")); err != nil {
		return nil, err
	}
	if w.registrations, err = cluster.NewRegistrations(client, admission.RegistrationName, log.WithName("registrations")); err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	w.inventory = cluster.NewInventory(objects, log.WithName("inventory"))
	return &w, nil
}

func clusterConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("find the cluster: %w; outside a cluster give --kubeconfig", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	return config, nil
}

// server loads what decides, and puts the webhook server together.
func (f *serveFlags) server(ctx context.Context, r *reloader, w *watch, log logr.Logger) (*webhook.Server, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics, err := webhook.NewMetrics(registry, webhook.Build{Version: buildVersion()})
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	r.metrics = metrics
	f.options = append(f.options, policies.Shadow(f.shadow, func(ids []string) {
		metrics.ProjectionFailed(ids)
		log.Error(nil, "policies decide otherwise on the whole request: nothing is left out of requests any more; please report this", "policies", ids)
	}))
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	if err := metrics.WatchUnregistered(registry, func() []string { return unregistered(r, w.registrations) }); err != nil {
		return nil, err
	}
	name := f.service + "." + f.namespace + ".svc"
	names, ips := []string{name, name + ".cluster.local", "localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, n := range f.certificates {
		if ip := net.ParseIP(n); ip != nil {
			ips = append(ips, ip)
			continue
		}
		names = append(names, n)
	}
	certificate, bundle, err := webhook.SelfSigned(names, ips, time.Now())
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	if f.caFile != "" {
		if err := os.WriteFile(f.caFile, bundle, 0o644); err != nil { //nolint:gosec // a CA certificate is public
			return nil, fmt.Errorf("write CA bundle: %w", err)
		}
	}
	server, err := webhook.NewServer(webhook.Options{
		Config:         webhook.Config{Reviewer: &r.current, Facts: w.namespaces, Log: log.WithName("webhook"), Metrics: metrics},
		Entries:        admission.Entries(),
		Host:           f.host,
		Port:           f.port,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil },
		CABundle:       func() []byte { return bundle },
		ServerName:     name,
		HealthAddr:     f.healthAddr,
		Checks:         f.checks(r, w),
		Status:         func() webhook.Status { return status(r, w) },
		Gatherer:       registry,
		DrainDelay:     f.drainDelay,
	})
	if err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	return server, f.writeAddresses(server)
}

// writeAddresses tells a script which ports were chosen.
func (f *serveFlags) writeAddresses(server *webhook.Server) error {
	if f.addressFile == "" {
		return nil
	}
	text := fmt.Sprintf("{\"reviews\":%q,\"health\":%q}\n", server.Addr().String(), server.HealthAddr())
	// Written whole or not at all: whoever waits for the file must not read half of it.
	temporary := f.addressFile + ".tmp"
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil { //nolint:gosec // ports are no secret
		return fmt.Errorf("write addresses: %w", err)
	}
	if err := os.Rename(temporary, f.addressFile); err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	return nil
}
