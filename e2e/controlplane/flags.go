package controlplane

import (
	"fmt"
	"path/filepath"
)

const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
	kubectlName           = "kubectl"
)

// serviceCIDR is where Services get their cluster IPs from. Nothing routes it.
const serviceCIDR = "10.96.0.0/16"

// ports are the ones that one attempt to start uses, all on 127.0.0.1.
type ports struct {
	etcd, etcdPeer, apiServer int
}

func etcdFlags(dir string, p ports) []string {
	key := func(name string) string { return filepath.Join(dir, "keys", name) }
	client := fmt.Sprintf("https://127.0.0.1:%d", p.etcd)
	peer := fmt.Sprintf("https://127.0.0.1:%d", p.etcdPeer)
	return []string{
		"--name=default",
		"--data-dir=" + filepath.Join(dir, "etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer,
		"--cert-file=" + key("etcd.crt"),
		"--key-file=" + key("etcd.key"),
		"--client-cert-auth",
		"--trusted-ca-file=" + key("etcd-ca.crt"),
		"--peer-cert-file=" + key("etcd.crt"),
		"--peer-key-file=" + key("etcd.key"),
		"--peer-client-cert-auth",
		"--peer-trusted-ca-file=" + key("etcd-ca.crt"),
		// The data need not survive a power cut, and a shared disk makes fsync slow.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func apiServerFlags(dir string, p ports) []string {
	key := func(name string) string { return filepath.Join(dir, "keys", name) }
	return []string{
		fmt.Sprintf("--etcd-servers=https://127.0.0.1:%d", p.etcd),
		"--etcd-cafile=" + key("etcd-ca.crt"),
		"--etcd-certfile=" + key("etcd-client.crt"),
		"--etcd-keyfile=" + key("etcd-client.key"),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.apiServer),
		"--tls-cert-file=" + key("apiserver.crt"),
		"--tls-private-key-file=" + key("apiserver.key"),
		"--cert-dir=" + filepath.Join(dir, "keys"),
		"--client-ca-file=" + key("ca.crt"),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key("service-account.pub"),
		"--service-account-signing-key-file=" + key("service-account.key"),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--allow-privileged=true",
		// A loopback address may not stand in Endpoints, and without one here the server
		// looks for a default route, which a sandbox may not have. So it advertises
		// loopback and keeps no Endpoints for itself.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		// Ends open watches at SIGTERM. With the default of 0 the server waits a minute for
		// the controller manager, which never hangs up by itself.
		"--shutdown-watch-termination-grace-period=5s",
		"--profiling=false",
	}
}

// auditFlags make kube-apiserver log into file by the policy in dir.
func auditFlags(dir, file string) []string {
	return []string{
		"--audit-policy-file=" + auditPolicyFile(dir),
		"--audit-log-path=" + file,
		"--audit-log-format=json",
		// An event is in the file when its request is answered, so that a test can look.
		"--audit-log-mode=blocking-strict",
	}
}

func auditPolicyFile(dir string) string { return filepath.Join(dir, "audit-policy.yaml") }

// auditPolicy keeps the components' own traffic short: controllers write far more than
// the test does. Request level is what makes the server record webhook patches.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["system:apiserver", "system:kube-controller-manager"]
- level: Metadata
  userGroups: ["system:serviceaccounts:kube-system"]
- level: Request
`

func controllerManagerFlags(dir, kubeconfig string) []string {
	key := func(name string) string { return filepath.Join(dir, "keys", name) }
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		"--secure-port=0", // nobody asks it anything
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + key("service-account.key"),
		"--root-ca-file=" + key("ca.crt"),
		"--service-cluster-ip-range=" + serviceCIDR,
		// The defaults pace a production cluster; a test that creates 200 objects at once
		// would wait for them.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		"--profiling=false",
	}
}
