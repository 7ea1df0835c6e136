package defaults

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// The app's answers to how much it needs, on the pod template; for its own container only.
const (
	memoryAnnotation = "gesso.dev/memory"
	cpuAnnotation    = "gesso.dev/cpu"
)

// resources
//
//	Field:    resources.requests.{cpu,memory} and resources.limits.memory of every container; limits.cpu if the Profile
//	          names one
//	Set when: the field is absent
//	To:       what the other one of request and limit says, where the author gave one; else, for the app's container,
//	          gesso.dev/memory and gesso.dev/cpu; else the Profile's values. The memory limit is the request.
//	Why:      the scheduler and the HPA need requests; with memory limit = request an app that grows is stopped at a place
//	          that can be foretold. No CPU limit: it only slows.
//	Since:    0.1
//	Not when: the pod has resources of its own (pod level), which a container's limit must not exceed.
//	Opt out:  gesso.dev/resources: "false", gesso.dev/resources.<container>: "false"
func resources() Default {
	return Default{
		ID:    "resources",
		Kinds: workloads(),
		Paths: []string{
			"template.spec.containers[].resources.requests.cpu", "template.spec.containers[].resources.requests.memory",
			"template.spec.containers[].resources.limits.cpu", "template.spec.containers[].resources.limits.memory",
			"template.spec.initContainers[].resources.requests.cpu", "template.spec.initContainers[].resources.requests.memory",
			"template.spec.initContainers[].resources.limits.cpu", "template.spec.initContainers[].resources.limits.memory",
		},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.Resources.DefaultSetting },
		Fill:    fillResources,
	}
}

func fillResources(f *Filling) {
	if podLevelResources(f.template) {
		f.Skip(PodLevelResources, f.spec, "resources")
		return
	}
	if f.noContainers() {
		return
	}
	own, values := f.Spec.Defaults.Resources, &f.set.values
	app, _ := f.app()
	appCPU, appMemory := values.cpu, values.memory
	if cpu := f.quantityAnswer(cpuAnnotation, string(own.CPU)); cpu != string(own.CPU) {
		appCPU = newAmount(cpu, string(own.CPULimit))
	}
	if memory := f.quantityAnswer(memoryAnnotation, string(own.Memory)); memory != string(own.Memory) {
		appMemory = newAmount(memory, memory)
	}
	for _, c := range f.Containers() {
		if f.SkipContainer(c) {
			continue
		}
		cpu, memory := &values.cpu, &values.memory
		if c.Node == app.Node {
			cpu, memory = &appCPU, &appMemory
		}
		before := len(f.paths)
		f.fillPair(c, "cpu", cpu)
		f.fillPair(c, "memory", memory)
		if len(f.paths) == before {
			f.Skip(AlreadySet, c.Path, "resources")
		}
	}
}

// fillPair fills request and limit of one resource where they are absent. Where want has no limit none is made up, but
// one that the author gave is still copied to the request, as the API server does it for Pods.
func (f *Filling) fillPair(c object.Container, name string, want *amount) {
	hasRequest, hasLimit := c.Node.Get("resources", "requests", name), c.Node.Get("resources", "limits", name)
	switch {
	case !hasRequest.Missing() && !hasLimit.Missing():
		return
	case !hasLimit.Missing():
		if q, ok := quantityOf(hasLimit); ok {
			f.Set(f.edit.Text(q.String()), c.Path, "resources", "requests", name)
		}
	case !hasRequest.Missing():
		q, ok := quantityOf(hasRequest)
		if !ok || want.limit == nil {
			return
		}
		if name == "cpu" {
			q = atLeast(resource.MustParse(want.most), q)
		}
		f.Set(f.edit.Text(q.String()), c.Path, "resources", "limits", name)
	case hasLimit.Type() == object.Null && want.limit == nil:
		return // the API server reads it as 0, below any request
	default:
		if f.Set(want.request, c.Path, "resources", "requests", name) && want.limit != nil {
			f.Set(want.limit, c.Path, "resources", "limits", name)
		}
	}
}

// quantityOf reads a quantity that is worth copying: one that parses and is not zero, which as a limit would mean none. Like the
// API server it rounds up to thousandths.
func quantityOf(n *object.Node) (resource.Quantity, bool) {
	text, ok := n.Text()
	if !ok {
		text = string(n.Bytes()) // the API accepts plain numbers
	}
	q, err := v1alpha1.ParseQuantity(text)
	q.RoundUp(resource.Milli)
	return q, err == nil && q.Sign() > 0
}

// quantityAnswer reads a quantity from an annotation, in canonical form; fallback where there is none.
func (f *Filling) quantityAnswer(annotation, fallback string) string {
	value, ok := f.answer(annotation)
	if !ok {
		return fallback
	}
	q, err := v1alpha1.ParseQuantity(value)
	if err != nil || q.Sign() <= 0 {
		f.Warn("annotation %s: %q is no positive quantity; write for example %q. %s is used instead", annotation, value, fallback, fallback)
		return fallback
	}
	q.RoundUp(resource.Milli)
	return q.String()
}
