package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

const (
	manager = "argocd-controller" // as whom Argo CD writes

	// How a manifest is applied: Argo CD's usual way, and its sync options ServerSideApply=true and Replace=true.
	clientSide = "client-side"
	serverSide = "server-side"
	replace    = "replace"
)

// argo is Argo CD as far as one object is concerned.
type argo struct {
	operations kube.ResourceOperations
	dryRuns    diff.ServerSideDryRunner
	schema     *managedfields.GvkParser
	client     dynamic.Interface
	mapper     meta.RESTMapper
	cleanup    []func()
}

// connect learns the cluster's types, as Argo CD does when it begins to watch one.
func connect(kubeconfig string) (*argo, error) {
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 1000, 1000 // never throttled by itself
	command := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	resources, schema, err := command.LoadOpenAPISchema(config)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's OpenAPI: %w", err)
	}
	a := &argo{schema: schema}
	operations, cleanup, err := command.ManageResources(config, resources)
	if err != nil {
		return nil, fmt.Errorf("set up syncs: %w", err)
	}
	a.operations, a.cleanup = operations, append(a.cleanup, cleanup)
	applier, cleanup, err := kube.ManageServerSideDiffDryRuns(config, resources, tracing.NopTracer{}, logr.Discard(), nil)
	if err != nil {
		return nil, fmt.Errorf("set up dry runs: %w", err)
	}
	a.dryRuns, a.cleanup = diff.NewK8sServerSideDryRunner(applier), append(a.cleanup, cleanup)
	if a.client, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	groups, err := restmapper.GetAPIGroupResources(disco)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's kinds: %w", err)
	}
	a.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	return a, nil
}

func (a *argo) close() {
	if a == nil {
		return
	}
	for _, f := range a.cleanup {
		f()
	}
}

func (a *argo) answer(ctx context.Context, q question) (answer, error) {
	if q.Git == nil {
		return answer{}, fmt.Errorf("%s: no manifest", q.Do)
	}
	switch q.Do {
	case "sync":
		return answer{}, a.sync(ctx, q.How, q.Git)
	case "create":
		live, err := a.create(ctx, q.How, q.Git)
		return answer{Live: live}, err
	case "diff":
		return a.diff(ctx, q)
	}
	return answer{}, fmt.Errorf("%q: not sync, create or diff", q.Do)
}

// sync applies a manifest with the calls that Argo CD's sync makes, and again, as Argo CD does, if a controller wrote to it meanwhile.
func (a *argo) sync(ctx context.Context, how string, git *unstructured.Unstructured) error {
	const attempts = 5
	var err error
	for range attempts {
		if err = a.syncOnce(ctx, how, git); err == nil || !strings.Contains(err.Error(), "the object has been modified") {
			break // the engine hands on kubectl's text, not its error
		}
	}
	return err
}

func (a *argo) syncOnce(ctx context.Context, how string, git *unstructured.Unstructured) error {
	const force, validate = false, true
	var err error
	switch how {
	case clientSide, serverSide:
		_, err = a.operations.ApplyResource(ctx, git, cmdutil.DryRunNone, force, validate, how == serverSide, manager)
	case replace:
		if _, missing := a.live(ctx, git); missing != nil {
			_, err = a.operations.CreateResource(ctx, git, cmdutil.DryRunNone, validate)
		} else {
			_, err = a.operations.ReplaceResource(ctx, git, cmdutil.DryRunNone, force)
		}
	default:
		err = fmt.Errorf("%q: not %s, %s or %s", how, clientSide, serverSide, replace)
	}
	return err
}

// create returns what the first sync of a manifest would store.
func (a *argo) create(ctx context.Context, how string, git *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	objects, err := a.objects(git)
	if err != nil {
		return nil, err
	}
	dryRun := []string{metav1.DryRunAll}
	if how == serverSide {
		return objects.Apply(ctx, git.GetName(), git, metav1.ApplyOptions{FieldManager: manager, Force: true, DryRun: dryRun})
	}
	applied, err := json.Marshal(git)
	if err != nil {
		return nil, err
	}
	object := git.DeepCopy()
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[diff.AnnotationLastAppliedConfig] = string(applied)
	object.SetAnnotations(annotations)
	return objects.Create(ctx, object, metav1.CreateOptions{FieldManager: manager, DryRun: dryRun})
}

// live returns what the cluster holds.
func (a *argo) live(ctx context.Context, git *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	objects, err := a.objects(git)
	if err != nil {
		return nil, err
	}
	return objects.Get(ctx, git.GetName(), metav1.GetOptions{})
}

// objects returns the client for the kind and the namespace of an object.
func (a *argo) objects(git *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := git.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	return a.client.Resource(mapping.Resource).Namespace(git.GetNamespace()), nil
}

// diff compares a manifest with what is live in every mode that is asked for. A server-side diff asks the cluster again, so
// that a controller's write in between would look like a difference: then everything is done again.
func (a *argo) diff(ctx context.Context, q question) (answer, error) {
	if q.Live != nil {
		verdicts, err := a.verdicts(q.Git, q.Live, q.Modes)
		return answer{Live: q.Live, Verdicts: verdicts}, err
	}
	const attempts = 20
	live, err := a.live(ctx, q.Git)
	if err != nil {
		return answer{}, err
	}
	for range attempts {
		verdicts, err := a.verdicts(q.Git, live, q.Modes)
		if err != nil {
			return answer{}, err
		}
		after, err := a.live(ctx, q.Git)
		if err != nil {
			return answer{}, err
		}
		if after.GetResourceVersion() == live.GetResourceVersion() {
			return answer{Live: live, Verdicts: verdicts}, nil
		}
		live = after
	}
	return answer{}, fmt.Errorf("somebody wrote to it during each of %d comparisons", attempts)
}

func (a *argo) verdicts(git, live *unstructured.Unstructured, modes []string) (map[string]verdict, error) {
	verdicts := map[string]verdict{}
	for _, mode := range modes {
		options, err := a.mode(mode)
		if err != nil {
			return nil, err
		}
		// The engine may write to what it is given.
		r, err := diff.Diff(git.DeepCopy(), live.DeepCopy(), options...)
		if err != nil {
			verdicts[mode] = verdict{Error: err.Error()}
			continue
		}
		v := verdict{OutOfSync: r.Modified}
		if r.Modified {
			if v.Paths, err = differences(r.NormalizedLive, r.PredictedLive); err != nil {
				return nil, err
			}
		}
		verdicts[mode] = v
	}
	return verdicts, nil
}

// mode returns the engine's options for a way of comparing.
func (a *argo) mode(name string) ([]diff.Option, error) {
	common := []diff.Option{
		diff.WithNormalizer(diff.GetNoopNormalizer()), diff.WithLogr(logr.Discard()), diff.WithManager(manager), diff.WithGVKParser(a.schema),
	}
	switch name {
	case "legacy":
		return common, nil
	case "structured-merge":
		return append(common, diff.WithStructuredMergeDiff(true)), nil
	case "server-side":
		return append(common, diff.WithServerSideDiff(true), diff.WithServerSideDryRunner(a.dryRuns)), nil
	case "server-side-mutation": // compare-options: IncludeMutationWebhook=true
		return append(common, diff.WithServerSideDiff(true), diff.WithServerSideDryRunner(a.dryRuns), diff.WithIgnoreMutationWebhook(false)), nil
	}
	return nil, fmt.Errorf("%q: no such mode", name)
}
