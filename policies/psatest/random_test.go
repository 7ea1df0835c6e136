package psatest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/policy"
)

// TestRandom compares both verdicts over random Pods. Each begins as a Pod that restricted accepts, or as a bare one, and is changed in a
// few places; most changes touch one field that some check reads. The seed is fixed: a difference found once is found again.
func TestRandom(t *testing.T) {
	const pods = 3000
	failed := map[policy.CheckID]int{}
	for i := range pods {
		count(failed, randomPod(i))
	}
	for _, check := range policy.DefaultChecks() {
		if failed[check.ID] < 30 {
			t.Errorf("the check %s refuses %d of %d Pods; the comparison says little of it", check.ID, failed[check.ID], pods)
		}
	}
	for _, o := range oracles(t) {
		t.Run(string(o.level), func(t *testing.T) {
			t.Parallel()
			counts := tally{}
			for i := range pods {
				workloads := kinds()[1:]
				for _, kind := range []string{"Pod", workloads[i%len(workloads)]} {
					counts.add(o.compare(t, randomPod(i), kind))
				}
			}
			counts.report(t, 500)
		})
	}
}

func randomPod(seed int) *corev1.Pod {
	return mutator{rand.New(rand.NewPCG(20, uint64(seed)))}.pod()
}

// count which checks refuse the Pod, each by itself.
func count(failed map[policy.CheckID]int, pod *corev1.Pod) {
	for _, check := range policy.DefaultChecks() {
		newest := check.Versions[len(check.Versions)-1]
		if !newest.CheckPod(&pod.ObjectMeta, defaulted(&pod.Spec)).Allowed {
			failed[check.ID]++
		}
	}
}

type mutator struct{ *rand.Rand }

func pick[T any](m mutator, values ...T) T { return values[m.IntN(len(values))] }

// maybe gives nil or a pointer to one of the values.
func maybe[T any](m mutator, values ...T) *T {
	if m.IntN(len(values)+1) == 0 {
		return nil
	}
	value := pick(m, values...)
	return &value
}

func (m mutator) pod() *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name = "x"
	for i := range 1 + m.IntN(3) {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: fmt.Sprintf("c%d", i)})
	}
	for i := range m.IntN(3) {
		container := corev1.Container{Name: fmt.Sprintf("i%d", i), RestartPolicy: maybe(m, corev1.ContainerRestartPolicyAlways)}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, container)
	}
	if m.IntN(4) == 0 {
		pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e"}}}
	}
	if m.IntN(3) > 0 {
		m.harden(pod)
	}
	for range m.IntN(6) {
		m.mutate(pod)
	}
	return pod
}

// harden makes a Pod that restricted accepts, with what may stand on the Pod sometimes there and sometimes on each container.
func (m mutator) harden(pod *corev1.Pod) {
	yes, no := true, false
	seccomp := &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
	onPod := m.IntN(2) == 0
	if onPod {
		pod.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &yes, SeccompProfile: seccomp}
	}
	for _, container := range containers(pod) {
		container.SecurityContext = &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}
		if !onPod {
			container.SecurityContext.RunAsNonRoot, container.SecurityContext.SeccompProfile = &yes, seccomp
		}
	}
}

// containers of every sort. An ephemeral one has the same fields.
func containers(pod *corev1.Pod) (list []*corev1.Container) {
	for i := range pod.Spec.InitContainers {
		list = append(list, &pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		list = append(list, &pod.Spec.Containers[i])
	}
	for i := range pod.Spec.EphemeralContainers {
		list = append(list, (*corev1.Container)(&pod.Spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
	return list
}

func (m mutator) mutate(pod *corev1.Pod) {
	switch m.IntN(5) {
	case 0:
		m.mutatePod(pod)
	case 1:
		if pod.Spec.SecurityContext == nil {
			pod.Spec.SecurityContext = &corev1.PodSecurityContext{}
		}
		m.mutatePodContext(pod.Spec.SecurityContext)
	case 2:
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("v%d", len(pod.Spec.Volumes)), VolumeSource: m.volume()})
	case 3:
		m.mutateContainer(pick(m, containers(pod)...))
	default:
		container := pick(m, containers(pod)...)
		if container.SecurityContext == nil || m.IntN(10) == 0 {
			container.SecurityContext = &corev1.SecurityContext{}
		}
		m.mutateContext(container.SecurityContext)
	}
}

func (m mutator) mutatePod(pod *corev1.Pod) {
	spec := &pod.Spec
	switch m.IntN(6) {
	case 0:
		spec.HostNetwork = pick(m, true, false)
	case 1:
		spec.HostPID, spec.HostIPC = pick(m, true, false), pick(m, true, false)
	case 2, 3:
		spec.HostUsers = maybe(m, true, false, false)
	case 4:
		spec.OS = maybe(m, corev1.PodOS{Name: corev1.Windows}, corev1.PodOS{Name: corev1.Linux}, corev1.PodOS{Name: "Windows"})
	case 5:
		pod.Annotations = map[string]string{
			pick(m, corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix, "seccomp.security.alpha.kubernetes.io/", "x.") + pick(m, "c0", "pod", ""): pick(m,
				"runtime/default", "localhost/", "localhost/x", "unconfined", "", "localhost", "Runtime/default", " runtime/default"),
		}
	}
}

func (m mutator) seccomp() *corev1.SeccompProfile {
	return maybe(m, corev1.SeccompProfile{Type: "RuntimeDefault"}, corev1.SeccompProfile{Type: "Localhost"},
		corev1.SeccompProfile{Type: "Unconfined"}, corev1.SeccompProfile{}, corev1.SeccompProfile{Type: "runtime/default"})
}

func (m mutator) appArmor() *corev1.AppArmorProfile {
	return maybe(m, corev1.AppArmorProfile{Type: "RuntimeDefault"}, corev1.AppArmorProfile{Type: "Localhost"},
		corev1.AppArmorProfile{Type: "Unconfined"}, corev1.AppArmorProfile{}, corev1.AppArmorProfile{Type: "localhost"})
}

func (m mutator) seLinux() *corev1.SELinuxOptions {
	return &corev1.SELinuxOptions{
		Type: pick(m, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", "spc_t", "container_t "),
		User: pick(m, "", "", "", "system_u"), Role: pick(m, "", "", "", "system_r"), Level: pick(m, "", "s0"),
	}
}

func (m mutator) windows() *corev1.WindowsSecurityContextOptions {
	return &corev1.WindowsSecurityContextOptions{HostProcess: maybe(m, true, true, false)}
}

func (m mutator) mutatePodContext(context *corev1.PodSecurityContext) {
	switch m.IntN(7) {
	case 0:
		context.RunAsNonRoot = maybe(m, true, false)
	case 1:
		context.RunAsUser = maybe(m, int64(0), int64(0), int64(1), int64(65535))
	case 2:
		context.SeccompProfile = m.seccomp()
	case 3:
		context.AppArmorProfile = m.appArmor()
	case 4:
		context.SELinuxOptions = m.seLinux()
	case 5:
		context.WindowsOptions = m.windows()
	case 6:
		context.Sysctls = []corev1.Sysctl{{Name: pick(m,
			"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
			"net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
			"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_rmem", "net.ipv4.tcp_slow_start_after_idle",
			"net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem", "net.ipv6.tcp_wmem", "kernel.msgmax", "kernel/shm_rmid_forced", "", "net.core.somaxconn",
			"net.ipv4.tcp_mem", "net.ipv4.ip_forward",
		), Value: "1"}}
	}
}

func (m mutator) capabilities() []corev1.Capability {
	var list []corev1.Capability
	for range m.IntN(3) {
		list = append(list, pick[corev1.Capability](m,
			"ALL", "all", "NET_BIND_SERVICE", "NET_BIND_SERVICE", "NET_RAW", "SYS_ADMIN", "CAP_CHOWN", "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER",
			"FSETID", "KILL", "MKNOD", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "chown", "",
		))
	}
	return list
}

func (m mutator) mutateContext(context *corev1.SecurityContext) {
	switch m.IntN(12) {
	case 0:
		context.RunAsNonRoot = maybe(m, true, false)
	case 1:
		context.RunAsUser = maybe(m, int64(0), int64(0), int64(1), int64(65535))
	case 2:
		context.SeccompProfile = m.seccomp()
	case 3:
		context.AppArmorProfile = m.appArmor()
	case 4:
		context.SELinuxOptions = m.seLinux()
	case 5:
		context.WindowsOptions = m.windows()
	case 6:
		context.Privileged = maybe(m, true, false)
	case 7:
		context.AllowPrivilegeEscalation = maybe(m, true, false)
	case 8:
		context.ProcMount = maybe[corev1.ProcMountType](m, "Default", "Unmasked", "Unmasked", "", "default")
	case 9:
		context.Capabilities = maybe(m, corev1.Capabilities{Add: m.capabilities(), Drop: m.capabilities()})
	case 10:
		if context.Capabilities != nil {
			context.Capabilities.Add = m.capabilities()
		}
	case 11:
		if context.Capabilities != nil {
			context.Capabilities.Drop = m.capabilities()
		}
	}
}

func (m mutator) probe() *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		HTTPGet:   maybe(m, corev1.HTTPGetAction{Host: m.host(), Port: intstr.FromString("http")}),
		TCPSocket: maybe(m, corev1.TCPSocketAction{Host: m.host(), Port: intstr.FromInt32(1)}),
		GRPC:      maybe(m, corev1.GRPCAction{Port: 1}),
	}}
}

func (m mutator) host() string { return pick(m, "", "", "127.0.0.1", "other.example", "::1") }

func (m mutator) handler() *corev1.LifecycleHandler {
	return &corev1.LifecycleHandler{
		HTTPGet:   maybe(m, corev1.HTTPGetAction{Host: m.host()}),
		TCPSocket: maybe(m, corev1.TCPSocketAction{Host: m.host()}),
		Exec:      maybe(m, corev1.ExecAction{}),
	}
}

func (m mutator) mutateContainer(container *corev1.Container) {
	switch m.IntN(6) {
	case 0:
		container.Ports = append(container.Ports, corev1.ContainerPort{ContainerPort: 8080, HostPort: pick[int32](m, 0, 0, 1, 8080)})
	case 1:
		container.LivenessProbe = m.probe()
	case 2:
		container.ReadinessProbe = m.probe()
	case 3:
		container.StartupProbe = m.probe()
	case 4:
		container.Lifecycle = &corev1.Lifecycle{PostStart: m.handler()}
	case 5:
		container.Lifecycle = &corev1.Lifecycle{PreStop: m.handler()}
	}
}

// volume is one of every type, of none, or of two, which the API server would refuse.
func (m mutator) volume() corev1.VolumeSource {
	all := []corev1.VolumeSource{
		{ConfigMap: &corev1.ConfigMapVolumeSource{}},
		{CSI: &corev1.CSIVolumeSource{}},
		{DownwardAPI: &corev1.DownwardAPIVolumeSource{}},
		{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		{Ephemeral: &corev1.EphemeralVolumeSource{}},
		{Image: &corev1.ImageVolumeSource{Reference: "x"}},
		{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{}},
		{Projected: &corev1.ProjectedVolumeSource{}},
		{Secret: &corev1.SecretVolumeSource{}},
		{HostPath: &corev1.HostPathVolumeSource{Path: "/"}},
		{HostPath: &corev1.HostPathVolumeSource{}},
		{GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{}},
		{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{}},
		{GitRepo: &corev1.GitRepoVolumeSource{}},
		{NFS: &corev1.NFSVolumeSource{}},
		{ISCSI: &corev1.ISCSIVolumeSource{}},
		{Glusterfs: &corev1.GlusterfsVolumeSource{}},
		{RBD: &corev1.RBDVolumeSource{}},
		{FlexVolume: &corev1.FlexVolumeSource{}},
		{Cinder: &corev1.CinderVolumeSource{}},
		{CephFS: &corev1.CephFSVolumeSource{}},
		{Flocker: &corev1.FlockerVolumeSource{}},
		{FC: &corev1.FCVolumeSource{}},
		{AzureFile: &corev1.AzureFileVolumeSource{}},
		{VsphereVolume: &corev1.VsphereVirtualDiskVolumeSource{}},
		{Quobyte: &corev1.QuobyteVolumeSource{}},
		{AzureDisk: &corev1.AzureDiskVolumeSource{}},
		{PhotonPersistentDisk: &corev1.PhotonPersistentDiskVolumeSource{}},
		{PortworxVolume: &corev1.PortworxVolumeSource{}},
		{ScaleIO: &corev1.ScaleIOVolumeSource{}},
		{StorageOS: &corev1.StorageOSVolumeSource{}},
		{},
		{EmptyDir: &corev1.EmptyDirVolumeSource{}, HostPath: &corev1.HostPathVolumeSource{}},
		{NFS: &corev1.NFSVolumeSource{}, HostPath: &corev1.HostPathVolumeSource{}},
	}
	return pick(m, all...)
}
