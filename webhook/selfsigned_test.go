package webhook

import (
	"crypto/x509"
	"net"
	"testing"
	"time"
)

func TestSelfSigned(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	certificate, bundle, err := SelfSigned([]string{"gesso.gesso-system.svc"}, []net.IP{net.IPv4(127, 0, 0, 1)}, now)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bundle) {
		t.Fatal("the bundle holds no certificate")
	}
	for name, tc := range map[string]struct {
		host   string
		at     time.Time
		wantOK bool
	}{
		"name":             {"gesso.gesso-system.svc", now, true},
		"address":          {"127.0.0.1", now, true},
		"a slow clock":     {"127.0.0.1", now.Add(-59 * time.Minute), true},
		"nine years later": {"127.0.0.1", now.AddDate(9, 0, 0), true},
		"another name":     {"other.svc", now, false},
		"too late":         {"127.0.0.1", now.AddDate(11, 0, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: tc.host, Roots: pool, CurrentTime: tc.at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
			if (err == nil) != tc.wantOK {
				t.Errorf("verify: %v, want success %v", err, tc.wantOK)
			}
		})
	}
}
