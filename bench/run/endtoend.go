package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"
	"github.com/gesso-dev/gesso/bench/process"
)

// way is one way to a Pod: a namespace of its own, in which one webhook is called or none.
type way struct {
	name      string
	namespace string
	server    *process.Server // nil: no webhook
	latency   *hdrhistogram.Histogram
	p50       []float64 // of each round
	cpu       []float64 // of the webhook, nanoseconds for each create, one of each round
}

// wayRow is what is kept of one.
type wayRow struct {
	Name string `json:"name"`
	// P50 and P95 are nanoseconds of a create; Added is the median over the rounds of what it takes longer than without a webhook.
	P50, P95 int64
	Added    float64 `json:"added"`
	// CPU is nanoseconds of the webhook's process for each create, Times how many times that of the webhook that only echoes.
	CPU   float64 `json:"cpuNanoseconds"`
	Times float64 `json:"timesEcho"`
}

// endToEnd creates Pods by dry-run through a real kube-apiserver, with each webhook in turn.
func endToEnd(ctx context.Context, b *bed) (any, string, error) {
	ways, err := b.ways(ctx)
	if err != nil {
		return nil, "", err
	}
	client, err := rest.HTTPClientFor(b.cp.Config())
	if err != nil {
		return nil, "", err
	}
	creates := 100
	if b.quick {
		creates = 20
	}
	for round := range b.options.rounds + 1 {
		for i := range ways {
			w := ways[(i+round)%len(ways)]
			if err := w.creates(ctx, b, client, creates, round > 0); err != nil {
				return nil, "", fmt.Errorf("%s: %w", w.name, err)
			}
		}
		if round > 0 {
			b.say("round %d of %d", round, b.options.rounds)
		}
	}
	var (
		rows  []wayRow
		lines [][]string
	)
	none, echo := ways[0], ways[1]
	for _, w := range ways {
		added := make([]float64, len(w.p50))
		for i := range w.p50 {
			added[i] = w.p50[i] - none.p50[i]
		}
		r := wayRow{w.name, w.latency.ValueAtQuantile(50), w.latency.ValueAtQuantile(95), median(added), median(w.cpu), median(ratios(w.cpu, echo.cpu))}
		rows = append(rows, r)
		lines = append(lines, []string{r.Name, millis(time.Duration(r.P50)), millis(time.Duration(r.P95)), millis(time.Duration(r.Added)), micros(r.CPU), orDash(r.Times)})
	}
	return rows, table([]string{"webhook", "p50", "p95", "added to p50", "CPU of the webhook", "× one that echoes"}, lines), b.stopServers()
}

// ways starts the webhooks and registers each for its namespace.
func (b *bed) ways(ctx context.Context) ([]*way, error) {
	if err := b.controlPlane(ctx); err != nil {
		return nil, err
	}
	ways := []*way{{name: "none", namespace: "bench-none"}}
	for _, f := range []struct{ handler, name string }{{"echo", "echoes the UID"}, {"empty", "empty controller-runtime webhook"}} {
		server, err := b.startFloor(ctx, f.handler)
		if err != nil {
			return nil, err
		}
		w := &way{name: f.name, namespace: "bench-" + f.handler, server: server}
		if err := b.registerFloor(ctx, w); err != nil {
			return nil, err
		}
		ways = append(ways, w)
	}
	gesso, err := b.startGesso(ctx, cases.Ten())
	if err != nil {
		return nil, err
	}
	w := &way{name: "Gesso, 10 policies", namespace: "bench-gesso", server: gesso}
	if err := b.registerGesso(ctx, w, cases.Ten()); err != nil {
		return nil, err
	}
	ways = append(ways, w)
	for _, w := range ways {
		w.latency = hdrhistogram.New(1_000, time.Minute.Nanoseconds(), 3)
		if err := b.namespace(ctx, w.namespace); err != nil {
			return nil, err
		}
	}
	return ways, nil
}

func (w *way) selects(selector *metav1.LabelSelector) *metav1.LabelSelector {
	if selector == nil {
		selector = &metav1.LabelSelector{}
	}
	selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
		Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: []string{w.namespace},
	})
	return selector
}

func (b *bed) registerFloor(ctx context.Context, w *way) error {
	bundle, err := os.ReadFile(w.server.CAFile)
	if err != nil {
		return err
	}
	url := "https://" + w.server.Reviews + "/"
	return b.register(ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: w.namespace + ".gesso.dev", ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: bundle},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
			SideEffects: new(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"}, TimeoutSeconds: new(int32(5)),
			NamespaceSelector: w.selects(nil),
		}},
	})
}

// registerGesso registers what gesso webhooks prints for the setup, for one namespace only.
func (b *bed) registerGesso(ctx context.Context, w *way, setup cases.Setup) error {
	flags, err := setup.Flags(b.dir)
	if err != nil {
		return err
	}
	args := append([]string{"webhooks", "--url", "https://" + w.server.Reviews, "--ca-bundle", w.server.CAFile, "-o", "json"}, flags...)
	out, err := exec.CommandContext(ctx, b.gesso, args...).Output()
	if err != nil {
		return fmt.Errorf("gesso webhooks: %w", err)
	}
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(out, &list); err != nil {
		return err
	}
	for _, item := range list.Items {
		var c admissionregistrationv1.ValidatingWebhookConfiguration
		if err := json.Unmarshal(item, &c); err != nil {
			return err
		}
		if c.Kind != "ValidatingWebhookConfiguration" {
			continue
		}
		c.Name = w.namespace
		for i := range c.Webhooks { // Pods are asked about in one of them
			c.Webhooks[i].NamespaceSelector = w.selects(c.Webhooks[i].NamespaceSelector)
		}
		return b.register(ctx, &c)
	}
	return errors.New("gesso webhooks: no ValidatingWebhookConfiguration")
}

func (b *bed) register(ctx context.Context, c *admissionregistrationv1.ValidatingWebhookConfiguration) error {
	_, err := b.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx, c, metav1.CreateOptions{})
	return err
}

// creates creates the Pod so many times.
func (w *way) creates(ctx context.Context, b *bed, client *http.Client, n int, counts bool) error {
	body, err := w.pod()
	if err != nil {
		return err
	}
	url := b.cp.Host() + "/api/v1/namespaces/" + w.namespace + "/pods?dryRun=All&fieldManager=bench"
	before, err := w.used()
	if err != nil {
		return err
	}
	round := hdrhistogram.New(1_000, time.Minute.Nanoseconds(), 3)
	for range n {
		began := time.Now()
		if err := post(ctx, client, url, body); err != nil {
			return err
		}
		if err := round.RecordValue(time.Since(began).Nanoseconds()); err != nil {
			return err
		}
	}
	after, err := w.used()
	if err != nil || !counts {
		return err
	}
	w.latency.Merge(round)
	w.p50 = append(w.p50, float64(round.ValueAtQuantile(50)))
	w.cpu = append(w.cpu, float64(after-before)/float64(n))
	return nil
}

func (w *way) used() (time.Duration, error) {
	if w.server == nil {
		return 0, nil
	}
	return w.server.CPU()
}

// pod is the Pod as its author would send it.
func (w *way) pod() ([]byte, error) {
	review, err := fixtures.Review(fixtures.Pod)
	if err != nil {
		return nil, err
	}
	var r struct{ Request struct{ Object corev1.Pod } }
	if err := json.Unmarshal(review, &r); err != nil {
		return nil, err
	}
	p := r.Request.Object
	p.ObjectMeta = metav1.ObjectMeta{Name: p.Name, Namespace: w.namespace, Labels: p.Labels, Annotations: p.Annotations}
	p.Status = corev1.PodStatus{}
	return json.Marshal(p)
}

func post(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusCreated {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return err
}
