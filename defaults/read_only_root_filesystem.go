package defaults

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// writablePathsAnnotation, on the pod template, lists the paths besides /tmp at which the app writes.
const writablePathsAnnotation = "gesso.dev/writable-paths"

// readOnlyRootFilesystem
//
//	Field:    securityContext.readOnlyRootFilesystem of every container; a volume for each container and its mounts
//	Set when: the field is absent
//	To:       true, and an emptyDir with a size limit at /tmp and at each of gesso.dev/writable-paths. A path is left out
//	          when something is mounted there, above or below already.
//	Why:      what breaks in must not be able to change the program. Nearly every program writes to /tmp, so that the one
//	          without the other breaks more than it protects.
//	Since:    0.1
//	Not when: the template is for Windows, where the field is forbidden; a volume of the author's has our name and is no
//	          emptyDir (then /tmp could not be written).
//	Opt out:  gesso.dev/read-only-root-filesystem: "false" on the pod template, or …filesystem.<container>: "false"
func readOnlyRootFilesystem() Default {
	return Default{
		ID:    "read-only-root-filesystem",
		Kinds: workloads(),
		Paths: []string{
			"template.spec.containers[].securityContext.readOnlyRootFilesystem", "template.spec.containers[].volumeMounts[]",
			"template.spec.initContainers[].securityContext.readOnlyRootFilesystem", "template.spec.initContainers[].volumeMounts[]",
			"template.spec.volumes[]",
		},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.ReadOnlyRootFilesystem.DefaultSetting },
		Fill:    fillReadOnlyRootFilesystem,
	}
}

func fillReadOnlyRootFilesystem(f *Filling) {
	t := f.Template()
	if t.Windows() {
		f.Skip(Windows, t.Spec()...)
		return
	}
	if f.noContainers(t) {
		return
	}
	writable, volumes := f.writablePaths(), volumesOf(t)
	for _, c := range f.Containers() {
		field := object.Join(c.Path, "securityContext", "readOnlyRootFilesystem")
		if f.SkipContainer(c) {
			continue
		}
		if !f.edit.CanSet(field) {
			f.Skip(AlreadySet, field...)
			continue
		}
		if len(validation.IsDNS1123Label(c.Name)) > 0 {
			// The API server will refuse the name; a volume named after it would only be refused beside it.
			f.Skip(NameConflict, object.Join(c.Path, "name")...)
			continue
		}
		paths := writable
		if f.set.sidecar.named(c.Name) {
			paths = writable[:1] // the other paths are the app's answer
		}
		mounts, ok := f.planMounts(t, c, paths, volumes)
		if !ok {
			continue
		}
		f.Set([]byte("true"), field...)
		for _, m := range mounts {
			if _, ok := volumes[m.volume]; !ok {
				volumes[m.volume] = t.Node.Get("spec", "volumes").Len()
				f.Append(emptyDir(m.volume, string(f.Spec.Defaults.ReadOnlyRootFilesystem.TmpSizeLimit)), t.Spec("volumes")...)
			}
			f.Append(mountAt(m.volume, m.path), object.Join(c.Path, "volumeMounts")...)
		}
	}
}

// mount is a volume to be mounted at a path.
type mount struct{ volume, path string }

// planMounts says which volumes c needs so that it can write at paths. It is not ok, and says why, when that cannot be had:
// a read-only root without a writable /tmp would only break the app.
func (f *Filling) planMounts(t *object.Template, c object.Container, paths []string, volumes map[string]int) (mounts []mount, ok bool) {
	list := object.Join(c.Path, "volumeMounts")
	for _, l := range [][]string{list, t.Spec("volumes")} {
		if !f.CanAppend(l...) {
			f.Skip(AlreadySet, l...)
			return nil, false
		}
	}
	taken := map[string]string{} // mount path → its field
	for i, m := range f.Object.Root.Get(list...).Elements() {
		if at := m.Get("mountPath").Str(); at != "" { // the kubelet takes a relative path from the root
			taken[path.Join("/", at)] = object.FieldPath(object.Join(list, itoa(i), "mountPath")...)
		}
	}
	for _, p := range paths {
		if field, conflict := around(p, taken); conflict {
			if field != "" {
				f.skipped = append(f.skipped, Skipped{f.id, MountConflict, field})
			}
			continue
		}
		m := mount{volumeName(c.Name, p), p}
		if i, ok := volumes[m.volume]; ok && t.Node.Get("spec", "volumes", itoa(i), "emptyDir").Type() != object.Map {
			name := t.Spec("volumes", itoa(i), "name")
			f.Skip(NameConflict, name...)
			f.Warn("%s: volume %q is not an emptyDir, so that container %q cannot get a writable %s; rename the volume",
				object.FieldPath(name...), m.volume, c.Name, p)
			return nil, false
		}
		mounts = append(mounts, m)
		taken[p] = "" // a later path inside this one is writable already
	}
	return mounts, true
}

// around finds a mount at p, above it or below it.
func around(p string, taken map[string]string) (field string, found bool) {
	for m, where := range taken {
		if m == p || within(m, p) || within(p, m) {
			if !found || where > field {
				field, found = where, true // the last field in order of name, whatever the order of the map
			}
		}
	}
	return field, found
}

// within reports whether the clean path inner lies below the clean path outer.
func within(inner, outer string) bool {
	return outer == "/" || strings.HasPrefix(inner, outer+"/")
}

// volumesOf returns the positions of the volumes by name. Looking through the list for each container would let a Pod with thousands
// of them keep a processor busy for minutes.
func volumesOf(t *object.Template) map[string]int {
	positions := map[string]int{}
	for i, v := range t.Node.Get("spec", "volumes").Elements() {
		if _, twice := positions[v.Get("name").Str()]; !twice {
			positions[v.Get("name").Str()] = i
		}
	}
	return positions
}

// maxWritablePaths bounds what one annotation can ask for: every path is a volume and a mount in every container.
const maxWritablePaths = 32

// writablePaths returns /tmp and then the author's further paths, cleaned, each once and an outer one before those inside it.
func (f *Filling) writablePaths() []string {
	var all []string
	value, _, _ := answer(f.Object, writablePathsAnnotation)
	listed := 0
	for p := range strings.SplitSeq(value, ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		clean := path.Clean(p)
		if listed++; listed > maxWritablePaths {
			f.Warn("annotation %s: lists more than %d paths; nothing is mounted at %q and what follows", writablePathsAnnotation, maxWritablePaths, p)
			break
		}
		switch {
		case clean == "/tmp" || slices.Contains(all, clean):
		case !path.IsAbs(p) || clean == "/" || strings.Contains(p, ":") || strings.Contains(p, ".."):
			f.Warn("annotation %s: %q is no absolute path below /; nothing is mounted there", writablePathsAnnotation, p)
		default:
			all = append(all, clean)
		}
	}
	slices.Sort(all)
	return append([]string{"/tmp"}, all...)
}

// tmpVolume begins the names of the volumes that this default makes.
const tmpVolume = record.Scratch

// volumeName names the emptyDir of a container at a path: gesso-tmp-<container> at /tmp, with a hash of the path elsewhere. A
// name longer than the 63 characters of a DNS label is cut and made unique by a hash.
func volumeName(container, at string) string {
	name := tmpVolume + container
	if at != "/tmp" {
		name += "-" + shortHash(at)[:6]
	}
	if len(name) > 63 {
		name = name[:54] + "-" + shortHash(name)
	}
	return name
}

// shortHash returns the first eight hexadecimal digits of the SHA-256 of s.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
