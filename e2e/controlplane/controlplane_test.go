package controlplane

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestControlPlane shares one control plane among its parts, because a start takes
// seconds. They run in order; each uses names of its own.
func TestControlPlane(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.log")
	c := ForTest(t, Options{Audit: audit})
	admin := clientset(t, c.Config())

	t.Run("the server has the pinned version", func(t *testing.T) {
		if os.Getenv(assetsVariable) != "" {
			t.Skipf("%s decides the version", assetsVariable)
		}
		goMod, err := os.ReadFile("binaries/go.mod")
		if err != nil {
			t.Fatal(err)
		}
		want, err := requiredVersion(goMod, kubernetesModule)
		if err != nil {
			t.Fatal(err)
		}
		got, err := admin.Discovery().ServerVersion()
		if err != nil {
			t.Fatal(err)
		}
		if got.GitVersion != want {
			t.Errorf("server version is %s, want %s", got.GitVersion, want)
		}
		if parts := strings.Split(strings.TrimPrefix(want, "v"), "."); got.Major != parts[0] || got.Minor != parts[1] {
			t.Errorf("server version is %s.%s, want that of %s", got.Major, got.Minor, want)
		}
		out, stderr, err := c.Kubectl(t.Context(), "version")
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		for _, line := range []string{"Client Version: " + want, "Server Version: " + want} {
			if !strings.Contains(out, line+"\n") {
				t.Errorf("kubectl version lacks %q:\n%s", line, out)
			}
		}
	})

	t.Run("a deployment gets a pod from the replica set controller", func(t *testing.T) {
		createDeployment(t, admin, "made")
		pod := awaitPod(t, admin, "made")
		owner := metav1.GetControllerOf(pod)
		if owner == nil || owner.Kind != "ReplicaSet" {
			t.Errorf("the pod's controller is %v, want a ReplicaSet", owner)
		}
		// The default admission plugins are on, and tokens are signed.
		if pod.Spec.ServiceAccountName != "default" || len(pod.Spec.Volumes) != 1 {
			t.Errorf("admission left the pod without its service account: %q, %d volumes",
				pod.Spec.ServiceAccountName, len(pod.Spec.Volumes))
		}
	})

	t.Run("a developer may not create", func(t *testing.T) {
		config, err := c.ConfigFor("developer")
		if err != nil {
			t.Fatal(err)
		}
		developer := clientset(t, config)
		_, err = developer.AppsV1().Deployments("default").Create(t.Context(), deployment("refused"), metav1.CreateOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `User "developer"`) {
			t.Errorf("got %v, want forbidden for the user developer", err)
		}
	})

	t.Run("groups of a certificate count", func(t *testing.T) {
		config, err := c.ConfigFor("alice", "team-a", "system:masters")
		if err != nil {
			t.Fatal(err)
		}
		createDeployment(t, clientset(t, config), "by-alice")
		if _, err := c.ConfigFor(""); err == nil {
			t.Error("an empty user got a certificate")
		}
	})

	t.Run("kubectl is the administrator, or whom one asks for", func(t *testing.T) {
		const manifest = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"}}`
		out, stderr, err := c.KubectlInput(t.Context(), strings.NewReader(manifest), "apply", "-f", "-")
		if err != nil || out != "configmap/applied created\n" || stderr != "" {
			t.Errorf("apply: %q, %q, %v", out, stderr, err)
		}
		developer, err := c.KubeconfigFor("developer")
		if err != nil {
			t.Fatal(err)
		}
		_, stderr, err = c.Kubectl(t.Context(), "--kubeconfig", developer, "get", "configmap", "applied")
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
			t.Errorf("get as developer: %v, want exit status 1", err)
		}
		if !strings.Contains(stderr, `User "developer" cannot get`) {
			t.Errorf("get as developer says %q", stderr)
		}
		if left := filepath.Join(c.dir, "home", "cache"); !strings.HasPrefix(left, c.dir) || !exists(left) {
			t.Errorf("kubectl did not keep its cache in %s", left)
		}
	})

	t.Run("the audit log has requests and their bodies", func(t *testing.T) {
		const marker = "marker-of-the-audit-test"
		_, err := admin.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "audited"}, Data: map[string]string{"key": marker},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(audit)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), marker) {
			t.Errorf("the audit log of %d bytes lacks the request", len(content))
		}
	})

	t.Run("a restarted server keeps port, data and controllers", func(t *testing.T) {
		before := pids(c)
		if err := c.RestartAPIServer(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := pids(c)
		if before[1] == after[1] || alive(before[1]) {
			t.Errorf("the old server still runs: before %v, after %v", before, after)
		}
		if before[0] != after[0] || before[2] != after[2] {
			t.Errorf("other processes changed: before %v, after %v", before, after)
		}
		// The old client: same port, same certificate.
		if _, err := admin.AppsV1().Deployments("default").Get(t.Context(), "made", metav1.GetOptions{}); err != nil {
			t.Errorf("get what was there before: %v", err)
		}
		createDeployment(t, admin, "made-after")
		awaitPod(t, admin, "made-after")
	})

	t.Run("stop leaves nothing", func(t *testing.T) {
		running := pids(c)
		for _, pid := range running {
			if !alive(pid) {
				t.Errorf("process %d has ended before Stop", pid)
			}
		}
		if found := processesOf(t, c.dir); len(found) != 3 {
			t.Errorf("the folder is named by %d processes, want 3: %q", len(found), found)
		}
		began := time.Now()
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		t.Logf("stopped in %.1fs", time.Since(began).Seconds())
		for _, pid := range running {
			if alive(pid) {
				t.Errorf("process %d runs after Stop", pid)
			}
		}
		if found := processesOf(t, c.dir); len(found) != 0 {
			t.Errorf("processes after Stop: %q", found)
		}
		if exists(c.dir) {
			t.Errorf("folder %s is there after Stop", c.dir)
		}
		if err := c.Stop(); err != nil {
			t.Errorf("second Stop: %v", err)
		}
		if err := c.RestartAPIServer(t.Context()); !errors.Is(err, errStopped) {
			t.Errorf("restart after Stop: %v, want %v", err, errStopped)
		}
		if _, err := c.KubeconfigFor("late"); !errors.Is(err, errStopped) {
			t.Errorf("kubeconfig after Stop: %v, want %v", err, errStopped)
		}
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func clientset(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "shop:0123abc"}}},
			},
		},
	}
}

func createDeployment(t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	_, err := client.AppsV1().Deployments("default").Create(t.Context(), deployment(name), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// awaitPod returns the one Pod of a Deployment of createDeployment's.
func awaitPod(t *testing.T, client kubernetes.Interface, name string) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	eventually(t, 30*time.Second, func() error {
		list, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("deployment %s has %d pods, want 1", name, len(list.Items))
		}
		pod = &list.Items[0]
		return nil
	})
	return pod
}
