package cluster

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Registrations knows the webhook configurations of one name as they live in the cluster. Make it with [NewRegistrations]
// and run [Registrations.Start]. All methods are safe for concurrent use.
type Registrations struct {
	name                 string
	factory              informers.SharedInformerFactory
	mutating, validating cache.SharedIndexInformer
}

// NewRegistrations watches the MutatingWebhookConfiguration and the ValidatingWebhookConfiguration of that name and no
// other. log gets the errors of the watches, which are retried for ever.
func NewRegistrations(client kubernetes.Interface, name string, log logr.Logger) (*Registrations, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
	}))
	r := &Registrations{
		name:       name,
		factory:    factory,
		mutating:   factory.Admissionregistration().V1().MutatingWebhookConfigurations().Informer(),
		validating: factory.Admissionregistration().V1().ValidatingWebhookConfigurations().Informer(),
	}
	for _, informer := range []cache.SharedIndexInformer{r.mutating, r.validating} {
		if err := informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
			log.Error(err, "watch webhook configurations")
		}); err != nil {
			return nil, fmt.Errorf("watch webhook configurations: %w", err)
		}
	}
	return r, nil
}

// Start watches until ctx is done. It must be called once.
func (r *Registrations) Start(ctx context.Context) {
	r.factory.StartWithContext(ctx)
	<-ctx.Done()
	r.factory.Shutdown()
}

// Synced reports whether both configurations, if they exist, are known.
func (r *Registrations) Synced() bool { return r.mutating.HasSynced() && r.validating.HasSynced() }

// Living returns the configurations, nil for one that does not exist. They must not be modified.
func (r *Registrations) Living() (*admissionv1.MutatingWebhookConfiguration, *admissionv1.ValidatingWebhookConfiguration) {
	return living[admissionv1.MutatingWebhookConfiguration](r.mutating, r.name),
		living[admissionv1.ValidatingWebhookConfiguration](r.validating, r.name)
}

func living[T any](informer cache.SharedIndexInformer, name string) *T {
	item, exists, err := informer.GetStore().GetByKey(name)
	if err != nil || !exists {
		return nil
	}
	config, ok := item.(*T)
	if !ok {
		return nil
	}
	return config
}
