package defaults

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gesso-dev/gesso/defaults/record"
)

// The API server completes what it stores. A sidecar that came back with more in it than was filled would look like somebody
// else's change, so that the Profile's fragment is completed here in the same way when it is loaded. Only containers and volumes
// of a pod template are: in a Pod the API server also copies limits to requests, which the default resources does anyway.

// completeContainer fills in what the API server would.
func completeContainer(c *corev1.Container) {
	setIfZero(&c.ImagePullPolicy, corev1.PullPolicy(record.PullPolicy(c.Image)))
	setIfZero(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	setIfZero(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	for i := range c.Ports {
		setIfZero(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil {
			completeFieldRef(from.FieldRef)
			if from.FileKeyRef != nil {
				setIfNil(&from.FileKeyRef.Optional, false)
			}
		}
	}
	completeResources(c.Resources.Limits)
	completeResources(c.Resources.Requests)
	for _, p := range [...]*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		completeProbe(p)
	}
	if c.Lifecycle != nil {
		for _, h := range [...]*corev1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop} {
			if h != nil {
				completeHTTPGet(h.HTTPGet)
			}
		}
	}
}

func completeProbe(p *corev1.Probe) {
	if p == nil {
		return
	}
	setIfZero(&p.TimeoutSeconds, 1)
	setIfZero(&p.PeriodSeconds, 10)
	setIfZero(&p.SuccessThreshold, 1)
	setIfZero(&p.FailureThreshold, 3)
	completeHTTPGet(p.HTTPGet)
	if p.GRPC != nil {
		setIfNil(&p.GRPC.Service, "")
	}
}

func completeHTTPGet(h *corev1.HTTPGetAction) {
	if h != nil {
		setIfZero(&h.Path, "/")
		setIfZero(&h.Scheme, corev1.URISchemeHTTP)
	}
}

func completeFieldRef(r *corev1.ObjectFieldSelector) {
	if r != nil {
		setIfZero(&r.APIVersion, "v1")
	}
}

// completeResources rounds up to thousandths, as the API server does.
func completeResources(list corev1.ResourceList) {
	for name, q := range list {
		q.RoundUp(resource.Milli)
		list[name] = q
	}
}

// completeVolume fills in what the API server would, but for the emptyDir that it makes of a volume without a source: in a
// Profile that is a mistake.
func completeVolume(v *corev1.Volume) {
	completeFileVolume(v)
	if v.HostPath != nil {
		setIfNil(&v.HostPath.Type, corev1.HostPathUnset)
	}
	if v.Image != nil {
		setIfZero(&v.Image.PullPolicy, corev1.PullPolicy(record.PullPolicy(v.Image.Reference)))
	}
	if v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil {
		spec := &v.Ephemeral.VolumeClaimTemplate.Spec
		setIfNil(&spec.VolumeMode, corev1.PersistentVolumeFilesystem)
		completeResources(spec.Resources.Limits)
		completeResources(spec.Resources.Requests)
	}
	completeDisk(v)
}

// completeFileVolume completes the sources that make files of objects of the API.
func completeFileVolume(v *corev1.Volume) {
	if v.Secret != nil {
		setIfNil(&v.Secret.DefaultMode, corev1.SecretVolumeSourceDefaultMode)
	}
	if v.ConfigMap != nil {
		setIfNil(&v.ConfigMap.DefaultMode, corev1.ConfigMapVolumeSourceDefaultMode)
	}
	if v.DownwardAPI != nil {
		setIfNil(&v.DownwardAPI.DefaultMode, corev1.DownwardAPIVolumeSourceDefaultMode)
		completeItems(v.DownwardAPI.Items)
	}
	if v.Projected != nil {
		setIfNil(&v.Projected.DefaultMode, corev1.ProjectedVolumeSourceDefaultMode)
		for _, s := range v.Projected.Sources {
			if s.DownwardAPI != nil {
				completeItems(s.DownwardAPI.Items)
			}
			if s.ServiceAccountToken != nil {
				setIfNil(&s.ServiceAccountToken.ExpirationSeconds, 60*60)
			}
		}
	}
}

func completeItems(items []corev1.DownwardAPIVolumeFile) {
	for i := range items {
		completeFieldRef(items[i].FieldRef)
	}
}

// completeDisk completes the sources of single vendors, which Kubernetes still reads.
func completeDisk(v *corev1.Volume) {
	if v.ISCSI != nil {
		setIfZero(&v.ISCSI.ISCSIInterface, "default")
	}
	if v.RBD != nil {
		setIfZero(&v.RBD.RBDPool, "rbd")
		setIfZero(&v.RBD.RadosUser, "admin")
		setIfZero(&v.RBD.Keyring, "/etc/ceph/keyring")
	}
	if v.AzureDisk != nil {
		setIfNil(&v.AzureDisk.CachingMode, corev1.AzureDataDiskCachingReadWrite)
		setIfNil(&v.AzureDisk.FSType, "ext4")
		setIfNil(&v.AzureDisk.ReadOnly, false)
		setIfNil(&v.AzureDisk.Kind, corev1.AzureSharedBlobDisk)
	}
	if v.ScaleIO != nil {
		setIfZero(&v.ScaleIO.StorageMode, "ThinProvisioned")
		setIfZero(&v.ScaleIO.FSType, "xfs")
	}
}

func setIfZero[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func setIfNil[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
