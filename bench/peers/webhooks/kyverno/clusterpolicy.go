package kyverno

import (
	"context"
	"embed"
	"fmt"

	"github.com/go-logr/logr"
	kyvernov1 "github.com/kyverno/kyverno/api/kyverno/v1"
	kyvernov2 "github.com/kyverno/kyverno/api/kyverno/v2"
	"github.com/kyverno/kyverno/pkg/clients/dclient"
	"github.com/kyverno/kyverno/pkg/config"
	"github.com/kyverno/kyverno/pkg/engine"
	"github.com/kyverno/kyverno/pkg/engine/adapters"
	engineapi "github.com/kyverno/kyverno/pkg/engine/api"
	"github.com/kyverno/kyverno/pkg/engine/factories"
	"github.com/kyverno/kyverno/pkg/engine/jmespath"
	"github.com/kyverno/kyverno/pkg/engine/policycontext"
	imageverifycache "github.com/kyverno/kyverno/pkg/image/verification/cache"
	"github.com/kyverno/kyverno/pkg/policycache"
	"github.com/kyverno/sdk/extensions/registryclient"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/bench/peers/compare"
)

//go:embed clusterpolicies/*.yaml
var clusterPolicies embed.FS

// ClusterPolicy is Kyverno with its own language. Its figure begins with a decoded AdmissionRequest: the policy cache, the context and
// Validate for each policy that the cache has for Pods. It leaves out the events and reports.
func ClusterPolicy() compare.Peer {
	return compare.Peer{Name: "Kyverno, ClusterPolicy", Load: loadClusterPolicies}
}

func loadClusterPolicies(_ context.Context, c compare.Case) (compare.Engine, error) {
	ctrllog.SetLogger(logr.Discard())
	cfg := config.NewDefaultConfiguration(false)
	e := &legacy{configuration: cfg, jmespath: jmespath.New(cfg), cache: policycache.NewCache()}
	e.engine = engine.NewEngine(
		cfg, e.jmespath, nil, factories.DefaultRegistryClientFactory(adapters.RegistryClient(registryclient.New()), nil),
		imageverifycache.DisabledImageVerifyCache(), factories.DefaultContextLoaderFactory(nil), nil, nil,
	)
	for _, p := range c.Policies() {
		text, err := clusterPolicies.ReadFile("clusterpolicies/" + p.ID + ".yaml")
		if err != nil {
			return nil, err
		}
		policy := &kyvernov1.ClusterPolicy{}
		if err := yaml.UnmarshalStrict(text, policy); err != nil {
			return nil, fmt.Errorf("%s: %w", p.ID, err)
		}
		policy.Name = p.Name
		if p.OfServices && p.ID != compare.Ingress {
			policy.Spec.Rules[0].MatchResources.Any[0].Kinds = []string{"Service"}
		}
		if err := e.cache.Set(p.Name, policy, finder{}); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return e, nil
}

type legacy struct {
	configuration config.Configuration
	jmespath      jmespath.Interface
	cache         policycache.Cache
	engine        engineapi.Engine
}

func (e *legacy) Prepare(body []byte) (compare.Judgement, error) {
	review, _, err := compare.Decode(body)
	if err != nil {
		return nil, err
	}
	return &validated{legacy: e, request: *review.Request}, nil
}

type validated struct {
	*legacy
	request   admissionv1.AdmissionRequest
	responses []engineapi.EngineResponse
}

func (v *validated) Run() error {
	v.responses = v.responses[:0]
	policies := v.cache.GetPolicies(policycache.ValidateEnforce, schema.GroupVersionResource(v.request.Resource), v.request.SubResource, nil)
	info := kyvernov2.RequestInfo{AdmissionUserInfo: *v.request.UserInfo.DeepCopy()}
	pc, err := policycontext.NewPolicyContextFromAdmissionRequest(v.jmespath, v.request, info, schema.GroupVersionKind(v.request.Kind), v.configuration)
	if err != nil {
		return err
	}
	pc = pc.WithNamespaceLabels(namespace(v.request.Namespace).Labels)
	for _, policy := range policies {
		v.responses = append(v.responses, v.engine.Validate(context.Background(), pc.WithPolicy(policy)))
	}
	return nil
}

func (v *validated) Refusing() ([]string, error) {
	var names []string
	for _, r := range v.responses {
		switch {
		case r.IsError():
			return nil, fmt.Errorf("%s: %v", r.Policy().GetName(), r.PolicyResponse.Rules)
		case r.IsFailed():
			names = append(names, r.Policy().GetName())
		}
	}
	return names, nil
}

// finder is what the cluster would say of the kinds that the policies are of.
type finder struct{}

func (finder) FindResources(group, version, kind, subresource string) (map[dclient.TopLevelApiDescription]metav1.APIResource, error) {
	resources := map[string]schema.GroupVersionResource{
		"Pod": {Version: "v1", Resource: "pods"}, "Service": {Version: "v1", Resource: "services"},
		"ReplicationController": {Version: "v1", Resource: "replicationcontrollers"},
		"Deployment":            {Group: "apps", Version: "v1", Resource: "deployments"}, "DaemonSet": {Group: "apps", Version: "v1", Resource: "daemonsets"},
		"StatefulSet": {Group: "apps", Version: "v1", Resource: "statefulsets"}, "ReplicaSet": {Group: "apps", Version: "v1", Resource: "replicasets"},
		"Job": {Group: "batch", Version: "v1", Resource: "jobs"}, "CronJob": {Group: "batch", Version: "v1", Resource: "cronjobs"},
		"Ingress": {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
	}
	r, exists := resources[kind]
	if !exists || subresource != "" {
		return nil, fmt.Errorf("there is no %s/%s/%s/%s", group, version, kind, subresource)
	}
	found := dclient.TopLevelApiDescription{GroupVersion: r.GroupVersion(), Kind: kind, Resource: r.Resource}
	return map[dclient.TopLevelApiDescription]metav1.APIResource{found: {Name: r.Resource, Kind: kind, Group: r.Group, Version: r.Version}}, nil
}
