package controlplane

import (
	"fmt"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ConfigFor returns a client configuration for a user of the given groups, by a client
// certificate of its own. Without groups the user is in system:authenticated only, and
// may do what every authenticated user may: nearly nothing. The user need not exist
// anywhere. An empty user is an error.
func (c *ControlPlane) ConfigFor(user string, groups ...string) (*rest.Config, error) {
	pair, err := c.keys.ca.client(user, groups...)
	if err != nil {
		return nil, err
	}
	return c.config(pair), nil
}

// KubeconfigFor writes a kubeconfig file for a user like ConfigFor's into Dir, and
// returns its path. Every call makes a new file.
func (c *ControlPlane) KubeconfigFor(user string, groups ...string) (string, error) {
	pair, err := c.keys.ca.client(user, groups...)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return "", fmt.Errorf("write kubeconfig: %w", errStopped)
	}
	c.kubeconfigs++
	// Numbered and not named: a user name may hold slashes and colons.
	path := filepath.Join(c.dir, fmt.Sprintf("kubeconfig-%d", c.kubeconfigs))
	return path, c.writeKubeconfig(path, user, pair)
}

func (c *ControlPlane) config(pair keyPair) *rest.Config {
	return &rest.Config{
		Host:  c.host,
		QPS:   1000,
		Burst: 2000,
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   c.keys.ca.pem,
			CertData: pair.cert,
			KeyData:  pair.key,
		},
	}
}

func (c *ControlPlane) writeKubeconfig(path, user string, pair keyPair) error {
	const cluster = "gesso-controlplane"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: c.host, CertificateAuthorityData: c.keys.ca.pem}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: pair.cert, ClientKeyData: pair.key}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
