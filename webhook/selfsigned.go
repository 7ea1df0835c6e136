package webhook

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"time"
)

// SelfSigned makes a serving certificate for the names and addresses, in memory, and the PEM bundle of the CA that signed
// it, for caBundle. ECDSA P-256, valid from an hour before now (clocks differ) for ten years: nothing renews it, and the key
// of the CA is forgotten, so that a long life opens nothing.
//
// Every call makes a CA of its own, hence it only serves a single replica; the package certs will replace it.
func SelfSigned(dnsNames []string, ips []net.IP, now time.Time) (tls.Certificate, []byte, error) {
	fail := func(err error) (tls.Certificate, []byte, error) {
		return tls.Certificate{}, nil, fmt.Errorf("make serving certificate: %w", err)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	from, to := now.Add(-time.Hour), now.AddDate(10, 0, 0)
	ca := &x509.Certificate{ // x509 chooses a random serial number where none is given
		Subject: pkix.Name{CommonName: "gesso CA"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return fail(err)
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return fail(err)
	}
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "gesso"}, NotBefore: from, NotAfter: to, DNSNames: dnsNames, IPAddresses: ips,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return fail(err)
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	return tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: key}, bundle, nil
}
