package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

// patience of a test with the file system of a busy machine.
const slowest = 20 * time.Second

// watching counts the changes that a watch of trees sees. It returns when the watch has begun.
func watching(t *testing.T, poll time.Duration, trees ...tree) (changes <-chan struct{}) {
	t.Helper()
	w := newFileWatch(logr.Discard(), trees...)
	w.poll = poll
	seen := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, func(context.Context) { seen <- struct{}{} })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return seen
}

// seen waits for a change.
func seen(t *testing.T, changes <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(slowest):
		t.Fatalf("not seen: %s", what)
	}
}

// unseen holds that there is no change for as long as one would take.
func unseen(t *testing.T, changes <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-changes:
		t.Errorf("taken for a change: %s", what)
	case <-time.After(2 * longest):
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	temporary := path + "_tmp"
	if err := os.Symlink(target, temporary); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil { // as the kubelet does it
		t.Fatal(err)
	}
}

// remove removes a file or a folder.
func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestFileWatch makes one change after the other to a directory of policies and a file. The poll is as good as off: the
// notifications alone must find each of them.
func TestFileWatch(t *testing.T) {
	top := t.TempDir()
	dir, file := filepath.Join(top, "policies"), filepath.Join(top, "profile.yaml")
	write(t, filepath.Join(dir, "one", "one.rego"), []byte("package one"))
	write(t, file, []byte("a: 1"))
	changes := watching(t, time.Hour, policyTree(dir), tree{path: file})
	unseen(t, changes, "nothing")

	for _, step := range []struct {
		what   string
		change func()
	}{
		{"a file is written", func() { write(t, file, []byte("a: 2")) }},
		{"a file is replaced by renaming, as editors do", func() {
			write(t, file+"~", []byte("a: 3"))
			rename(t, file+"~", file)
		}},
		{"a file is gone", func() { remove(t, file) }},
		{"a file is back", func() { write(t, file, []byte("a: 4")) }},
		{"a policy is written", func() { write(t, filepath.Join(dir, "one", "one.rego"), []byte("package two")) }},
		{"a policy is added", func() { write(t, filepath.Join(dir, "two", "two.rego"), []byte("package two")) }},
		{"the added policy is written", func() { write(t, filepath.Join(dir, "two", "two.rego"), []byte("package three")) }},
		{"a policy is removed", func() { remove(t, filepath.Join(dir, "one")) }},
		{"a policy is made again in the same place", func() { write(t, filepath.Join(dir, "one", "one.rego"), []byte("package one")) }},
		{"and written there", func() { write(t, filepath.Join(dir, "one", "one.rego"), []byte("package two")) }},
		{"the directory is moved away", func() { rename(t, dir, dir+".old") }},
		{"another directory takes its place", func() {
			write(t, filepath.Join(top, "new", "one", "one.rego"), []byte("package one"))
			rename(t, filepath.Join(top, "new"), dir)
		}},
		{"and is written to", func() { write(t, filepath.Join(dir, "one", "one.rego"), []byte("package two")) }},
	} {
		step.change()
		seen(t, changes, step.what)
	}
	write(t, filepath.Join(dir, "one", "one_test.rego"), []byte("package one"))
	write(t, filepath.Join(dir, "one", "README.md"), []byte("one"))
	write(t, filepath.Join(dir, ".git", "HEAD"), []byte("one"))
	write(t, filepath.Join(top, "other.yaml"), []byte("one"))
	write(t, file, []byte("a: 4"))
	unseen(t, changes, "what does not matter")
}

// TestFileWatchOfMountedConfigMap swaps the versions of a mounted ConfigMap as the kubelet does: everything in the mount is a
// link into ..data, and ..data is the link that is replaced.
func TestFileWatchOfMountedConfigMap(t *testing.T) {
	mount := t.TempDir()
	version := func(name, text string) {
		write(t, filepath.Join(mount, name, "profile.yaml"), []byte(text))
		write(t, filepath.Join(mount, name, "one", "one.rego"), []byte(text))
		link(t, name, filepath.Join(mount, "..data"))
	}
	version("..1", "a")
	link(t, "..data/profile.yaml", filepath.Join(mount, "profile.yaml"))
	link(t, "..data/one", filepath.Join(mount, "one"))
	elsewhere := filepath.Join(t.TempDir(), "linked.yaml")
	link(t, filepath.Join(mount, "profile.yaml"), elsewhere)

	policies := watching(t, time.Hour, policyTree(mount))
	profile := watching(t, time.Hour, tree{path: filepath.Join(mount, "profile.yaml")})
	linked := watching(t, time.Hour, tree{path: elsewhere})
	for i, text := range []string{"b", "c", "d"} {
		version("..2"+text, text)
		remove(t, filepath.Join(mount, "..1"))
		for name, changes := range map[string]<-chan struct{}{"policies": policies, "profile": profile, "a link to the profile": linked} {
			seen(t, changes, text+" of "+name)
		}
		if i == 0 { // the same content again in another version
			version("..same", text)
			unseen(t, policies, "a swap to the same content")
		}
	}
}

func TestFileWatchPolls(t *testing.T) {
	file := filepath.Join(t.TempDir(), "folder", "profile.yaml") // the folder comes later, too
	w := newFileWatch(logr.Discard(), tree{path: file})
	before := w.look(nil) // nobody notifies
	if before != w.seen {
		t.Error("the first look differs from what was taken for known")
	}
	write(t, file, []byte("a: 1"))
	if w.look(nil) == before {
		t.Error("a look does not see the file that has come")
	}
	changes := watching(t, 50*time.Millisecond, tree{path: file})
	write(t, file, []byte("a: 2"))
	seen(t, changes, "a write")
}

func TestFileWatchOfABurst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.yaml")
	write(t, file, []byte("start"))
	changes := watching(t, time.Hour, tree{path: file})
	unseen(t, changes, "nothing")
	end := time.Now().Add(4 * longest)
	count := 0
	for i := 0; time.Now().Before(end); i++ {
		write(t, file, []byte(time.Now().String()))
		time.Sleep(20 * time.Millisecond)
		select {
		case <-changes:
			count++
		default:
		}
	}
	// Neither at each write, nor only when the writing ends.
	if count == 0 || count > 5 {
		t.Errorf("a burst of %v gave %d changes", 4*longest, count)
	}
	write(t, file, []byte("the last")) // the loop may have taken the change of the one before
	seen(t, changes, "the last write")
}

func TestFileWatchOfLinksInACircle(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	link(t, b, a)
	link(t, a, b)
	changes := watching(t, time.Hour, tree{path: a})
	unseen(t, changes, "nothing")
	remove(t, b)
	write(t, b, []byte("now a file"))
	seen(t, changes, "the circle is broken")
}
