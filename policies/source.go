package policies

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Only the Rego is embedded: samples are read from the source tree, and tests are left out when the folders are read.
//
//go:embed library/*/*.rego lib/*.rego
var embedded embed.FS

// Source is a tree of policy folders: each direct subfolder that holds .rego files is a policy, and its name is the policy's id.
type Source struct {
	// Name is how error messages call it: "library", or the directory as it was given.
	Name string
	FS   fs.FS
}

// Library is the embedded library, policies/library in the source tree.
func Library() Source {
	return Source{Name: "library", FS: sub("library")}
}

// sub is one folder of the embedded files. The folders are fixed when the package is compiled, so a failure is a broken build.
func sub(name string) fs.FS {
	dir, err := fs.Sub(embedded, name)
	if err != nil {
		panic(fmt.Sprintf("open embedded %s: %v", name, err))
	}
	return dir
}

// folder is one policy as it lies in a source: nothing parsed yet.
type folder struct {
	id     string
	source string
	dir    string // source name and folder, for messages
	files  []file
}

// file is one .rego file; its name begins with the source's.
type file struct {
	name string
	text []byte
}

// validID is what a folder must be called: it becomes part of a Rego package, of metric labels and of annotation keys.
var validID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// folders reads a source. Names that begin with a dot are left out: a mounted ConfigMap keeps its versions in such folders and shows
// them a second time through symbolic links. Files under a policy's folder that are no .rego files (samples, a README) are nobody's
// business here.
func (s Source) folders() ([]folder, []Problem) {
	if s.FS == nil {
		return nil, []Problem{{File: s.Name, Reason: "has no files"}}
	}
	entries, err := fs.ReadDir(s.FS, ".")
	if err != nil {
		return nil, []Problem{{File: s.Name, Reason: readReason(err)}}
	}
	var (
		found    []folder
		problems []Problem
	)
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		info, err := fs.Stat(s.FS, name) // not entry.IsDir: a folder may be a symbolic link
		switch {
		case err != nil:
			problems = append(problems, Problem{File: path.Join(s.Name, name), Reason: readReason(err)})
		case info.IsDir():
			f, ok, more := s.folder(name)
			problems = append(problems, more...)
			if ok {
				found = append(found, f)
			}
		case strings.HasSuffix(name, ".rego"):
			problems = append(problems, Problem{
				File: path.Join(s.Name, name), Line: 1,
				Reason: "lies beside the policies; a policy is a folder, so move the file to " + path.Join(s.Name, strings.TrimSuffix(name, ".rego"), name),
			})
		}
	}
	if len(found) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: s.Name, Reason: "holds no policy; each policy is a folder with .rego files in it"})
	}
	return found, problems
}

// folder reads one subfolder; ok is false when it is no policy at all.
func (s Source) folder(id string) (f folder, ok bool, problems []Problem) {
	f = folder{id: id, source: s.Name, dir: path.Join(s.Name, id)}
	entries, err := fs.ReadDir(s.FS, id)
	if err != nil {
		return f, false, []Problem{{Policy: id, File: f.dir, Reason: readReason(err)}}
	}
	tests := false
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".rego") {
			continue
		}
		if strings.HasSuffix(name, "_test.rego") {
			tests = true
			continue
		}
		text, err := fs.ReadFile(s.FS, path.Join(id, name))
		if err != nil {
			problems = append(problems, Problem{Policy: id, File: path.Join(f.dir, name), Reason: readReason(err)})
			continue
		}
		f.files = append(f.files, file{name: path.Join(f.dir, name), text: text})
	}
	switch {
	case len(problems) > 0:
		return f, false, problems // half a policy would be another policy
	case len(f.files) == 0 && tests:
		return f, false, []Problem{{Policy: id, File: f.dir, Reason: "holds tests and no policy"}}
	case len(f.files) == 0:
		return f, false, nil
	case !validID.MatchString(id):
		return f, false, []Problem{{Policy: id, File: f.dir, Reason: "the name of a policy's folder is lower-case words joined by -, for example image-tag"}}
	}
	return f, true, nil
}

// libFiles are the shared helpers, sorted by name, without their tests.
func libFiles() []file {
	dir := sub("lib")
	names, err := fs.Glob(dir, "*.rego")
	if err != nil {
		panic(fmt.Sprintf("list embedded lib: %v", err))
	}
	slices.Sort(names)
	var files []file
	for _, name := range names {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			panic(fmt.Sprintf("read embedded lib: %v", err))
		}
		files = append(files, file{name: path.Join("lib", name), text: text})
	}
	return files
}

// readReason says in one line why something could not be read, without the path that the message names anyway.
func readReason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return "cannot be read: " + pathErr.Err.Error()
	}
	return "cannot be read: " + err.Error()
}
