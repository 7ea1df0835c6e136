package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLifetime outlasts a control plane that somebody forgot in a terminal.
const certificateLifetime = 365 * 24 * time.Hour

// keys is everything secret of one control plane. Only certificates that our own CA
// signed open it, so that a control plane can never mistake another one's port for its
// own.
type keys struct {
	ca         *authority // signs the API server's certificate and its clients'
	etcdCA     *authority // separate: no API client may talk to etcd
	admin      keyPair
	manager    keyPair
	etcdClient keyPair // kube-apiserver's, and our own health check's, towards etcd
}

// keyPair is a certificate and its private key, both PEM.
type keyPair struct {
	cert, key []byte
}

// authority is a certificate authority made for one control plane.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key of %s: %w", name, err)
	}
	template, err := certificateTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate of %s: %w", name, err)
	}
	return &authority{cert: cert, key: key, pem: pemBlock("CERTIFICATE", der)}, nil
}

// client issues a certificate that authenticates a user: the common name is the user,
// the organizations are its groups.
func (a *authority) client(user string, groups ...string) (keyPair, error) {
	if user == "" {
		return keyPair{}, errors.New("issue client certificate: the user name is empty")
	}
	return a.issue(pkix.Name{CommonName: user, Organization: groups}, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
}

// server issues a certificate for a server on loopback. It is a client certificate too,
// because etcd's gateway dials etcd itself with its serving certificate.
func (a *authority) server(name string, alternatives ...string) (keyPair, error) {
	return a.issue(pkix.Name{CommonName: name}, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.DNSNames = append([]string{"localhost"}, alternatives...)
	})
}

func (a *authority) issue(subject pkix.Name, adjust func(*x509.Certificate)) (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("generate key of %s: %w", subject.CommonName, err)
	}
	template, err := certificateTemplate(subject)
	if err != nil {
		return keyPair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	adjust(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return keyPair{}, fmt.Errorf("sign certificate of %s: %w", subject.CommonName, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return keyPair{}, fmt.Errorf("encode key of %s: %w", subject.CommonName, err)
	}
	return keyPair{cert: pemBlock("CERTIFICATE", der), key: pemBlock("PRIVATE KEY", private)}, nil
}

func certificateTemplate(subject pkix.Name) (*x509.Certificate, error) {
	var serial [16]byte
	if _, err := rand.Read(serial[:]); err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	serial[0] &= 0x7f // RFC 5280: positive, and not longer than 20 octets
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:]),
		Subject:      subject,
		NotBefore:    now.Add(-time.Hour), // clocks are set back
		NotAfter:     now.Add(certificateLifetime),
	}, nil
}

// writeKeys makes both authorities and every certificate that the components read from
// files, and writes those files into dir.
func writeKeys(dir string) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create key folder: %w", err)
	}
	var k keys
	var err error
	if k.ca, err = newAuthority("gesso-controlplane"); err != nil {
		return nil, err
	}
	if k.etcdCA, err = newAuthority("gesso-controlplane-etcd"); err != nil {
		return nil, err
	}
	if k.admin, err = k.ca.client("admin", "system:masters"); err != nil {
		return nil, err
	}
	if k.manager, err = k.ca.client("system:kube-controller-manager"); err != nil {
		return nil, err
	}
	if k.etcdClient, err = k.etcdCA.client("kube-apiserver"); err != nil {
		return nil, err
	}
	apiServer, err := k.ca.server("kube-apiserver", "kubernetes.default.svc")
	if err != nil {
		return nil, err
	}
	etcd, err := k.etcdCA.server("etcd")
	if err != nil {
		return nil, err
	}
	serviceAccount, err := serviceAccountKeys()
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		"ca.crt":              k.ca.pem,
		"apiserver.crt":       apiServer.cert,
		"apiserver.key":       apiServer.key,
		"etcd-ca.crt":         k.etcdCA.pem,
		"etcd.crt":            etcd.cert,
		"etcd.key":            etcd.key,
		"etcd-client.crt":     k.etcdClient.cert,
		"etcd-client.key":     k.etcdClient.key,
		"service-account.pub": serviceAccount.cert,
		"service-account.key": serviceAccount.key,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("write key: %w", err)
		}
	}
	return &k, nil
}

// serviceAccountKeys makes the pair that signs and verifies ServiceAccount tokens; cert
// holds the public key.
func serviceAccountKeys() (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("generate service account key: %w", err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return keyPair{}, fmt.Errorf("encode service account key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return keyPair{}, fmt.Errorf("encode service account key: %w", err)
	}
	return keyPair{cert: pemBlock("PUBLIC KEY", public), key: pemBlock("EC PRIVATE KEY", private)}, nil
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
