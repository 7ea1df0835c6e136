package defaults

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// values are the values of a Profile that are filled as they are, and what is filled under every Profile.
type values struct {
	yes, no, all, runtimeDefault *object.Node
	tmp                          *object.Node // the emptyDir at /tmp
	cpu, memory                  amount
}

// amount is how much of a resource is filled.
type amount struct {
	request, limit *object.Node // limit is nil where none is filled
	most           string       // the limit as it is written in the Profile
}

func newValues(d *v1alpha1.Defaults) values {
	memory := string(d.Resources.Memory)
	return values{
		yes: object.Constant([]byte("true")), no: object.Constant([]byte("false")),
		all: object.Constant([]byte(`["ALL"]`)), runtimeDefault: object.Constant([]byte(`"RuntimeDefault"`)),
		tmp:    object.Constant(append(append([]byte(`{"sizeLimit":`), object.Quote(string(d.ReadOnlyRootFilesystem.TmpSizeLimit))...), '}')),
		cpu:    newAmount(string(d.Resources.CPU), string(d.Resources.CPULimit)),
		memory: newAmount(memory, memory),
	}
}

// newAmount returns what is filled for a request and a limit, which may be empty.
func newAmount(request, limit string) amount {
	a := amount{request: object.Value(request), most: limit}
	if limit != "" {
		a.limit = object.Value(limitFor(request, limit))
	}
	return a
}

// limitFor returns the limit beside a request, both quantities that were checked.
func limitFor(request, limit string) string {
	q := atLeast(resource.MustParse(limit), resource.MustParse(request))
	return q.String()
}

// atLeast returns q, or floor if that is more: a limit below its request is refused by the API server.
func atLeast(q, floor resource.Quantity) resource.Quantity {
	if q.Cmp(floor) < 0 {
		return floor
	}
	return q
}
