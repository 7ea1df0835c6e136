package webhook

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// counted is the value of a counter.
func counted(t testing.TB, m prometheus.Metric) float64 {
	t.Helper()
	var d dto.Metric
	if err := m.Write(&d); err != nil {
		t.Fatal(err)
	}
	return d.GetCounter().GetValue()
}

func TestNamespaceWaits(t *testing.T) {
	m, err := NewMetrics(prometheus.NewRegistry(), Build{})
	if err != nil {
		t.Fatal(err)
	}
	m.of("closed").namespaceWait(time.Microsecond, nil) // from the cache: nobody waited
	m.of("closed").namespaceWait(10*time.Millisecond, nil)
	m.of("closed").namespaceWait(250*time.Millisecond, errors.New("not seen"))
	for outcome, want := range map[string]float64{"seen": 1, "gave-up": 1} {
		if got := counted(t, m.namespaces.WithLabelValues(outcome)); got != want {
			t.Errorf("%s is %v, want %v", outcome, got, want)
		}
	}
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	r := prometheus.NewRegistry()
	if _, err := NewMetrics(r, Build{}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewMetrics(r, Build{}); err == nil {
		t.Error("a second registration is no error")
	}
}
