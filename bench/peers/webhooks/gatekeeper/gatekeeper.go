// Package gatekeeper runs the ten policies through Gatekeeper: one ConstraintTemplate and one constraint for each, in Rego.
//
// The figure is that of the validating webhook's own handler, as it is registered with the manager, for an AdmissionRequest that has been
// decoded already: its look at the namespace, the expansion, the constraint framework, the metrics and the answer. The AdmissionReview's
// decoding and the answer's encoding are left out. The manager is replaced: its client knows the one Namespace and an empty configuration,
// as the cache of a real one would, and nothing is exported of the metrics.
package gatekeeper

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-logr/logr"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client/drivers/rego"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client/drivers/rego/schema"
	"github.com/open-policy-agent/frameworks/constraint/pkg/core/templates"
	"github.com/open-policy-agent/gatekeeper/v3/apis/config/v1alpha1"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/controller/config/process"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/expansion"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/mutation"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/target"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/util"
	gatekeeper "github.com/open-policy-agent/gatekeeper/v3/pkg/webhook"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/gesso-dev/gesso/bench/peers/compare"
)

//go:embed rego/*.rego
var modules embed.FS

// Peer is Gatekeeper.
func Peer() compare.Peer { return compare.Peer{Name: "Gatekeeper", Load: load} }

func load(ctx context.Context, c compare.Case) (compare.Engine, error) {
	ctrllog.SetLogger(logr.Discard())
	driver, err := rego.New(rego.Tracing(false))
	if err != nil {
		return nil, err
	}
	opa, err := client.NewClient(client.Targets(&target.K8sValidationTarget{}), client.Driver(driver), client.EnforcementPoints(util.WebhookEnforcementPoint))
	if err != nil {
		return nil, err
	}
	for _, p := range c.Policies() {
		template, err := templateOf(p)
		if err != nil {
			return nil, err
		}
		if _, err := opa.AddTemplate(ctx, template); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if _, err := opa.AddConstraint(ctx, constraintOf(p)); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	mutations := mutation.NewSystem(mutation.SystemOpts{})
	m := &standIn{}
	err = gatekeeper.AddPolicyWebhook(m, gatekeeper.Dependencies{
		OpaClient: opa, ProcessExcluder: process.Get(), MutationSystem: mutations, ExpansionSystem: expansion.NewSystem(mutations),
	})
	if err != nil {
		return nil, err
	}
	hook, ok := m.server.hook.(*admission.Webhook)
	if !ok {
		return nil, fmt.Errorf("the webhook is a %T", m.server.hook)
	}
	return engine{hook.Handler}, nil
}

// kindOf is the kind of the constraints of a policy, and with it the name of its template in small letters.
func kindOf(p compare.Policy) string { return "Compare" + strings.ReplaceAll(p.Name, "-", "") }

func templateOf(p compare.Policy) (*templates.ConstraintTemplate, error) {
	text, err := modules.ReadFile("rego/" + p.ID + ".rego")
	if err != nil {
		return nil, err
	}
	parameters := map[string]apiextensions.JSONSchemaProps{}
	for name := range parametersOf(p.ID) {
		parameters[name] = apiextensions.JSONSchemaProps{
			Type: "array", Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &apiextensions.JSONSchemaProps{Type: "string"}},
		}
	}
	source := &schema.Source{Rego: string(text), Version: "v1"}
	return &templates.ConstraintTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ToLower(kindOf(p))},
		Spec: templates.ConstraintTemplateSpec{
			CRD: templates.CRD{Spec: templates.CRDSpec{
				Names:      templates.Names{Kind: kindOf(p)},
				Validation: &templates.Validation{OpenAPIV3Schema: &apiextensions.JSONSchemaProps{Type: "object", Properties: parameters}},
			}},
			Targets: []templates.Target{{
				Target: target.Name, Code: []templates.Code{{Engine: schema.Name, Source: &templates.Anything{Value: source.ToUnstructured()}}},
			}},
		},
	}, nil
}

func parametersOf(id string) map[string]any {
	switch id {
	case "capabilities":
		return map[string]any{"allowed": []any{"NET_BIND_SERVICE"}}
	case "registries":
		return map[string]any{"registries": []any{"registry.example", "mirror.example"}}
	case "required-labels":
		return map[string]any{"labels": []any{"app.kubernetes.io/name", "team"}}
	}
	return map[string]any{}
}

func constraintOf(p compare.Policy) *unstructured.Unstructured {
	group, kind := "", "Pod"
	switch {
	case p.ID == compare.Ingress:
		group, kind = "networking.k8s.io", "Ingress"
	case p.OfServices:
		kind = "Service"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kindOf(p), "metadata": map[string]any{"name": p.Name},
		"spec": map[string]any{
			"match":      map[string]any{"kinds": []any{map[string]any{"apiGroups": []any{group}, "kinds": []any{kind}}}},
			"parameters": parametersOf(p.ID),
		},
	}}
}

type engine struct{ handler admission.Handler }

func (e engine) Prepare(body []byte) (compare.Judgement, error) {
	review, _, err := compare.Decode(body)
	if err != nil {
		return nil, err
	}
	return &handled{handler: e.handler, request: admission.Request{AdmissionRequest: *review.Request}}, nil
}

type handled struct {
	handler  admission.Handler
	request  admission.Request
	response admission.Response
}

func (h *handled) Run() error {
	h.response = h.handler.Handle(context.Background(), h.request)
	if r := h.response.Result; !h.response.Allowed && (r == nil || r.Code != http.StatusForbidden) {
		return fmt.Errorf("no decision: %v", r)
	}
	return nil
}

func (h *handled) Refusing() ([]string, error) {
	if h.response.Allowed {
		return nil, nil
	}
	var names []string
	line := regexp.MustCompile(`^\[([a-z0-9-]+)\] `)
	for text := range strings.Lines(h.response.Result.Message) {
		found := line.FindStringSubmatch(text)
		if found == nil {
			return nil, fmt.Errorf("no constraint in %q", text)
		}
		names = append(names, found[1])
	}
	return names, nil
}

// standIn is as much of a manager as the webhook asks for.
type standIn struct {
	manager.Manager
	server server
}

func (*standIn) GetConfig() *rest.Config                { return &rest.Config{Host: "https://127.0.0.1:1"} }
func (*standIn) GetClient() ctrlclient.Client           { return cluster{} }
func (*standIn) GetAPIReader() ctrlclient.Reader        { return cluster{} }
func (s *standIn) GetWebhookServer() ctrlwebhook.Server { return &s.server }

type server struct {
	ctrlwebhook.Server
	hook http.Handler
}

func (s *server) Register(_ string, hook http.Handler) { s.hook = hook }

// cluster has the one Namespace, and a configuration with nothing in it.
type cluster struct{ ctrlclient.Client }

func (cluster) Get(_ context.Context, key ctrlclient.ObjectKey, object ctrlclient.Object, _ ...ctrlclient.GetOption) error {
	switch o := object.(type) {
	case *corev1.Namespace:
		o.ObjectMeta = metav1.ObjectMeta{Name: key.Name, Labels: map[string]string{corev1.LabelMetadataName: key.Name}}
		return nil
	case *v1alpha1.Config:
		return nil
	}
	return fmt.Errorf("there is no %T", object)
}
