package update

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// suite is what all rows share: one control plane, one Gesso of each release, and the recorder before them, which is what is
// registered.
type suite struct {
	dir      string
	cp       *controlplane.ControlPlane
	client   dynamic.Interface
	binary   string
	recorder *recorder
	servers  map[string]*e2e.Gesso // by release
}

var shared suite // set once by TestMain, which cannot hand anything to a test

func TestMain(m *testing.M) {
	if os.Getenv(editVariable) != "" {
		os.Exit(editor()) // kubectl edit runs this program
	}
	flag.Parse()
	// A row is mostly kubectl, which mostly waits: more of them than there are processors.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	e2e.Main("update", func() (int, error) { return run(m) })
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	root, err := e2e.Root()
	if err != nil {
		return 1, err
	}
	if shared.dir, err = os.MkdirTemp("", "gesso-update-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(shared.dir)) }()
	if shared.cp, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr}); err != nil {
		return 1, err
	}
	defer func() {
		if code != 0 {
			fmt.Fprintf(os.Stderr, "logs of the control plane:\n%s\n", shared.cp.LogTail(20))
		}
		err = errors.Join(err, shared.cp.Stop())
	}()
	if shared.client, err = dynamic.NewForConfig(shared.cp.Config()); err != nil {
		return 1, err
	}
	if shared.binary, err = e2e.Build(ctx, root, shared.dir); err != nil {
		return 1, err
	}
	if shared.recorder, err = startRecorder(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.recorder.stop()) }()
	shared.servers = map[string]*e2e.Gesso{}
	defer func() {
		for name, server := range shared.servers {
			stopped := server.Stop()
			if code != 0 || stopped != nil {
				fmt.Fprintf(os.Stderr, "log of gesso %s:\n%s\n", name, server.Log())
			}
			err = errors.Join(err, stopped)
		}
	}()
	for _, r := range releases() {
		server, err := startRelease(ctx, r.name, r.profile())
		if err != nil {
			return 1, err
		}
		shared.servers[r.name] = server
	}
	second, err := startSecond()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, second.stop()) }()
	// Gesso comes last: the API server reads configurations in the order in which they were made, so that all are read when this
	// one is.
	if err := second.register(ctx); err != nil {
		return 1, err
	}
	if err := register(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// startRelease starts a Gesso with a Profile of its own and tells the recorder of it.
func startRelease(ctx context.Context, name, profile string) (*e2e.Gesso, error) {
	dir := shared.dir + "/" + name
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(profileFile(name), []byte(profile), 0o600); err != nil {
		return nil, err
	}
	server, err := e2e.StartGesso(ctx, shared.cp, e2e.Options{Binary: shared.binary, Dir: dir, Flags: []string{"--profile", profileFile(name)}})
	if err != nil {
		return nil, err
	}
	return server, shared.recorder.add(name, server)
}

func profileFile(release string) string { return shared.dir + "/" + release + "/profile.yaml" }

// register makes the API server ask the recorder for what gesso webhooks prints, and returns when it does.
func register(ctx context.Context) error {
	ca := shared.dir + "/recorder.pem"
	if err := os.WriteFile(ca, shared.recorder.bundle, 0o600); err != nil {
		return err
	}
	manifest, err := shared.servers[v1].RegistrationAt(ctx, shared.recorder.url, ca)
	if err != nil {
		return err
	}
	// On a busy machine two seconds may pass in a queue, and a request that Gesso did not see in time would be another row.
	manifest = bytes.ReplaceAll(manifest, []byte("timeoutSeconds: 2\n"), []byte("timeoutSeconds: 30\n"))
	if _, stderr, err := shared.cp.KubectlInput(ctx, bytes.NewReader(manifest), "apply", "-f", "-"); err != nil {
		return fmt.Errorf("register: %w\n%s", err, stderr)
	}
	if err := makeNamespace(ctx, "probe", nil); err != nil {
		return err
	}
	shared.recorder.use("probe", v1)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		k := kinds()[0]
		o, err := shared.client.Resource(k.resource).Namespace("probe").Create(ctx, app("shop:a")(k), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		switch {
		case err == nil && len(shared.recorder.calls("probe")) > 0:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("wait until the API server calls the recorder: %w; last: %v, %w", ctx.Err(), o, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func makeNamespace(ctx context.Context, name string, labels map[string]string) error {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	o.SetName(name)
	o.SetLabels(labels)
	_, err := shared.client.Resource(namespaces).Create(ctx, o, metav1.CreateOptions{})
	return err
}

// kubectl runs kubectl in a namespace and returns all that it printed.
func kubectl(ctx context.Context, namespace, input string, environment []string, args ...string) (string, error) {
	cmd := shared.cp.KubectlCommand(ctx, append([]string{"--namespace", namespace}, args...)...)
	cmd.Env = append(cmd.Env, environment...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
