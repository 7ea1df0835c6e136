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
	if f.template.Windows() {
		f.Skip(Windows, f.spec)
		return
	}
	if f.noContainers() {
		return
	}
	writable, volumes := f.writablePaths(), volumesOf(f.template)
	for _, c := range f.Containers() {
		if f.SkipContainer(c) {
			continue
		}
		if !f.CanSet(c.Path, "securityContext", "readOnlyRootFilesystem") {
			f.Skip(AlreadySet, c.Path, "securityContext", "readOnlyRootFilesystem")
			continue
		}
		if len(validation.IsDNS1123Label(c.Name)) > 0 {
			// The API server will refuse the name; a volume named after it would only be refused beside it.
			f.Skip(NameConflict, c.Path, "name")
			continue
		}
		paths := writable
		if f.set.sidecar.named(c.Name) {
			paths = writable[:1] // the other paths are the app's answer
		}
		mounts, ok := f.planMounts(c, paths, volumes)
		if !ok {
			continue
		}
		f.Set(f.set.values.yes, c.Path, "securityContext", "readOnlyRootFilesystem")
		for _, m := range mounts {
			if _, ok := volumes[m.volume]; !ok {
				volumes[m.volume] = f.template.Node.Get("spec", "volumes").Len()
				f.Append(f.emptyDir(m.volume), f.spec, "volumes")
			}
			f.Append(f.mountAt(m.volume, m.path), c.Path, "volumeMounts")
		}
	}
}

// emptyDir is a volume, and mountAt a mount, with a fixed order of members: the same object always gets the same patch.

func (f *Filling) emptyDir(name string) *object.Node {
	return f.edit.Object(object.Member{Name: "name", Value: f.edit.Text(name)}, object.Member{Name: "emptyDir", Value: f.set.values.tmp})
}

func (f *Filling) mountAt(volume, path string) *object.Node {
	return f.edit.Object(object.Member{Name: "name", Value: f.edit.Text(volume)}, object.Member{Name: "mountPath", Value: f.edit.Text(path)})
}

// mount is a volume to be mounted at a path.
type mount struct{ volume, path string }

// planMounts says which volumes c needs so that it can write at paths. It is not ok, and says why, when that cannot be had:
// a read-only root without a writable /tmp would only break the app.
func (f *Filling) planMounts(c object.Container, paths []string, volumes map[string]int) (mounts []mount, ok bool) {
	if !f.CanAppend(c.Path, "volumeMounts") {
		f.Skip(AlreadySet, c.Path, "volumeMounts")
		return nil, false
	}
	if !f.CanAppend(f.spec, "volumes") {
		f.Skip(AlreadySet, f.spec, "volumes")
		return nil, false
	}
	taken := map[string]string{} // mount path → its field
	for i, m := range c.Node.Get("volumeMounts").Elements() {
		if at := m.Get("mountPath").Str(); at != "" { // the kubelet takes a relative path from the root
			taken[path.Join("/", at)] = f.edit.FieldPath(c.Path, "volumeMounts", itoa(i), "mountPath")
		}
	}
	mounts = make([]mount, 0, len(paths))
	for _, p := range paths {
		if field, conflict := around(p, taken); conflict {
			if field != "" {
				f.out.Skipped = append(f.out.Skipped, Skipped{f.id, MountConflict, field})
			}
			continue
		}
		m := mount{volumeName(c.Name, p), p}
		if i, ok := volumes[m.volume]; ok && f.template.Node.Get("spec", "volumes", itoa(i), "emptyDir").Type() != object.Map {
			f.Skip(NameConflict, f.spec, "volumes", itoa(i), "name")
			f.Warn("%s: volume %q is not an emptyDir, so that container %q cannot get a writable %s; rename the volume",
				f.edit.FieldPath(f.spec, "volumes", itoa(i), "name"), m.volume, c.Name, p)
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
		name := v.Get("name").Str()
		if _, twice := positions[name]; !twice {
			positions[name] = i
		}
	}
	return positions
}

// maxWritablePaths bounds what one annotation can ask for: every path is a volume and a mount in every container.
const maxWritablePaths = 32

// writablePaths returns /tmp and then the author's further paths, cleaned, each once and an outer one before those inside it.
func (f *Filling) writablePaths() []string {
	var all []string
	value, _ := f.answer(writablePathsAnnotation)
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
