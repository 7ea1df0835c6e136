package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/bench/fixtures"
	"github.com/gesso-dev/gesso/bench/load"
	"github.com/gesso-dev/gesso/bench/process"
)

// growth is how much more memory than before a process may hold at the end of a soak: the median of the last fifth of the samples against
// that of the second fifth. Collections come and go, so that a single sample says little.
const growth = 1.10

// soakNumbers are what is kept of a soak.
type soakNumbers struct {
	Reviews int64         `json:"reviews"`
	Objects int           `json:"objects"`
	Took    time.Duration `json:"took"`
	CPU     float64       `json:"cpuNanoseconds"` // per review
	Idle    int64         `json:"idle"`
	Tenths  []int64       `json:"rss"` // at the start, after each tenth of what was asked
	Most    int64         `json:"most"`
	Growth  float64       `json:"growth"`
}

// soak asks gesso serve with the whole library and an inventory for many reviews, and watches what it holds.
func soak(ctx context.Context, b *bed) (any, string, error) {
	if err := b.controlPlane(ctx); err != nil {
		return nil, "", err
	}
	if err := b.ingresses(ctx, b.objects); err != nil {
		return nil, "", err
	}
	server, err := b.serve(ctx, "soak", b.libraryFlags())
	if err != nil {
		return nil, "", err
	}
	n := soakNumbers{Objects: b.objects}
	if n.Idle, err = idle(ctx, server.RSS); err != nil {
		return nil, "", err
	}
	b.say("RSS idle with %d objects: %s", b.objects, mebibytes(n.Idle))
	samples, err := b.reviewAll(ctx, server, &n)
	if err != nil {
		return nil, "", err
	}
	fifth := len(samples) / 5
	if fifth < 2 {
		return nil, "", fmt.Errorf("%d samples within %s say nothing about growth: give more time (--soak-limit)", len(samples), b.limit)
	}
	n.Tenths = append([]int64{n.Idle}, tenths(samples)...)
	n.Growth = median(samples[len(samples)-fifth:]) / median(samples[fifth:2*fifth])
	lines := make([]string, len(n.Tenths))
	for i, rss := range n.Tenths {
		lines[i] = mebibytes(rss)
	}
	text := table([]string{"reviews", "objects", "CPU per review", "RSS idle", "most", "last fifth / second fifth"}, [][]string{{
		strconv.FormatInt(n.Reviews, 10), strconv.Itoa(n.Objects), micros(n.CPU), mebibytes(n.Idle), mebibytes(n.Most), times(n.Growth),
	}}) + "\nRSS idle and after each tenth: " + strings.Join(lines, ", ") + ".\n"
	if n.Growth > growth {
		return n, text, fmt.Errorf("memory grows: × %.2f from the second to the last fifth of %d reviews", n.Growth, n.Reviews)
	}
	if n.Reviews < b.reviews {
		text += fmt.Sprintf("\nStopped after %s, before all of %d reviews had been asked.\n", n.Took.Round(time.Second), b.reviews)
	}
	return n, text, b.stopServers()
}

// reviewAll sends a mix of reviews until all have been asked or the time is over, and samples what the server holds.
func (b *bed) reviewAll(ctx context.Context, server *process.Server, n *soakNumbers) (samples []float64, err error) {
	targets, err := soakTargets(ctx, server)
	if err != nil {
		return nil, err
	}
	const steps = 1000
	step := max(b.reviews/steps, 12*int64(len(targets)))
	began, told := time.Now(), time.Time{}
	before, err := server.CPU()
	if err != nil {
		return nil, err
	}
	for n.Reviews < b.reviews && time.Since(began) < b.limit {
		asked, err := together(ctx, targets, step)
		n.Reviews += asked
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, server.Log())
		}
		rss, err := server.RSS()
		if err != nil {
			return nil, err
		}
		samples = append(samples, float64(rss))
		n.Most = max(n.Most, rss)
		if time.Since(told) > 20*time.Second {
			told = time.Now()
			b.say("soak: %d reviews, RSS %s", n.Reviews, mebibytes(rss))
		}
	}
	after, err := server.CPU()
	n.Took, n.CPU = time.Since(began), float64(after-before)/float64(n.Reviews)
	return samples, err
}

// tenths are the samples after each tenth of a run.
func tenths(samples []float64) []int64 {
	list := make([]int64, 10)
	for i := range list {
		list[i] = int64(samples[(i+1)*len(samples)/10-1])
	}
	return list
}

// together asks all targets at once, count reviews in all.
func together(ctx context.Context, targets []*load.Target, count int64) (int64, error) {
	var (
		asked atomic.Int64
		group sync.WaitGroup
		errs  = make([]error, len(targets))
	)
	for i, target := range targets {
		group.Go(func() {
			got, err := target.Closed(ctx, 3, count/int64(len(targets)), time.Minute)
			asked.Add(got)
			errs[i] = err
		})
	}
	group.Wait()
	return asked.Load(), errors.Join(errs...)
}

// soakTargets are Pods, Deployments and Ingresses to judge, and Deployments to fill, each with many names, so that what the server might keep of a
// name would add up.
func soakTargets(ctx context.Context, server *process.Server) ([]*load.Target, error) {
	var targets []*load.Target
	for _, of := range []struct {
		path    string
		fixture string
	}{{"/validate/open", fixtures.Pod}, {"/validate/closed", fixtures.Deployment}, {"/validate/closed", fixtures.Ingress}, {"/mutate", fixtures.Minimal}} {
		review, err := fixtures.Review(of.fixture)
		if err != nil {
			return nil, err
		}
		bodies := make([][]byte, 512)
		for i := range bodies {
			bodies[i] = bytes.ReplaceAll(review, []byte(fixtures.UID), []byte(fmt.Sprintf("%08x%s", i, fixtures.UID[8:])))
			bodies[i] = bytes.ReplaceAll(bodies[i], []byte(`"name":"shop`), []byte(fmt.Sprintf(`"name":"shop-%d`, i)))
		}
		target, err := load.New(ctx, server.Reviews, server.CAFile, of.path, bodies...)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// ingresses makes as many Ingresses as there shall be, a hundred to a namespace, each with a host of its own; it takes none away.
func (b *bed) ingresses(ctx context.Context, count int) error {
	existing, err := b.client.NetworkingV1().Ingresses("").List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return err
	}
	have := len(existing.Items)
	if existing.RemainingItemCount != nil {
		have += int(*existing.RemainingItemCount)
	}
	if have >= count {
		return nil
	}
	b.say("creating %d Ingresses", count-have)
	const perNamespace, workers = 100, 8
	next := atomic.Int64{}
	next.Store(int64(have))
	for i := have / perNamespace; i*perNamespace < count; i++ {
		if err := b.namespace(ctx, fmt.Sprintf("hosts-%d", i)); err != nil {
			return err
		}
	}
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < count && errs[w] == nil; i = int(next.Add(1)) - 1 {
				_, errs[w] = b.client.NetworkingV1().Ingresses(fmt.Sprintf("hosts-%d", i/perNamespace)).Create(ctx, ingress(i), metav1.CreateOptions{})
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func ingress(i int) *networkingv1.Ingress {
	paths := make([]networkingv1.HTTPIngressPath, 0, 2)
	for _, path := range []string{"/", "/api"} {
		paths = append(paths, networkingv1.HTTPIngressPath{
			Path: path, PathType: new(networkingv1.PathTypePrefix), Backend: networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{Name: "shop", Port: networkingv1.ServiceBackendPort{Number: 80}},
			},
		})
	}
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("shop-%d", i), Labels: map[string]string{"app.kubernetes.io/name": "shop", "team": "red"}},
		Spec: networkingv1.IngressSpec{IngressClassName: new("shared"), Rules: []networkingv1.IngressRule{{
			Host:             fmt.Sprintf("shop-%d.hosts-%d.example", i, i/100),
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{Paths: paths}},
		}}},
	}
}
