package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-logr/logr"
)

// tree is a part of the file system that is watched: a file, or a directory with its files and folders.
type tree struct {
	path string
	// depth is how many levels of folders below path are looked into.
	depth int
	// counts says which files of a directory matter, by name; nil for all. What is hidden never matters: a mounted ConfigMap
	// keeps its versions in hidden folders, and shows the one in force by symbolic links.
	counts func(name string) bool
}

// policyTree is what a --policies directory is read for.
func policyTree(dir string) tree {
	return tree{path: dir, depth: 1, counts: func(name string) bool {
		return strings.HasSuffix(name, ".rego") && !strings.HasSuffix(name, "_test.rego")
	}}
}

// The times of a fileWatch.
const (
	// quiet is how long nothing may happen before a change counts as complete: whoever copies ten files is waited for.
	quiet = 200 * time.Millisecond
	// longest is how long a change is waited for that does not end.
	longest = 500 * time.Millisecond
	// pollEvery is the net below the notifications, which a network file system does not send.
	pollEvery = 10 * time.Second
)

// fileWatch says when the content of trees has changed. It compares contents, so that touching a file is no change, and finds a
// change whatever way it came about: a write, an editor that renames, or a swap of symbolic links somewhere on the way.
type fileWatch struct {
	trees []tree
	log   logr.Logger
	poll  time.Duration
	// seen is the content that changed was called for last.
	seen string
	// dirs are the directories that notifications are asked for, with the names in them that matter; nil for all names.
	dirs map[string]map[string]bool
}

// newFileWatch makes a watch that takes the content as it is now for known.
func newFileWatch(log logr.Logger, trees ...tree) *fileWatch {
	return &fileWatch{trees: trees, log: log, poll: pollEvery, seen: scanTrees(trees).content()}
}

// run calls changed after each change, in this goroutine, until ctx is done.
func (w *fileWatch) run(ctx context.Context, changed func(context.Context)) {
	if len(w.trees) == 0 {
		return
	}
	var events chan fsnotify.Event
	var failures chan error
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		w.log.Error(err, "watch files: no notifications; changes are found by looking", "every", w.poll.String())
	} else {
		events, failures = watcher.Events, watcher.Errors
		defer func() { _ = watcher.Close() }()
	}
	settle := time.NewTimer(0) // looks at once: the content may have changed since it was read
	defer settle.Stop()
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	var latest time.Time // when to look even if it goes on
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			if !w.matters(event.Name) {
				continue
			}
			now := time.Now()
			if latest.IsZero() {
				latest = now.Add(longest)
			}
			settle.Reset(min(quiet, latest.Sub(now)))
			continue
		case err := <-failures: // most likely notifications were lost
			w.log.Error(err, "watch files")
			settle.Reset(quiet)
			continue
		case <-poll.C:
			if !latest.IsZero() {
				continue // about to look
			}
		case <-settle.C:
			latest = time.Time{}
		}
		if content := w.look(watcher); content != w.seen {
			w.seen = content
			changed(ctx)
		}
	}
}

// look returns the content, and asks for notifications from every directory on the way to it.
func (w *fileWatch) look(watcher *fsnotify.Watcher) string {
	content := ""
	for range 5 { // one that never holds still is looked at again when its next notification comes
		s := scanTrees(w.trees)
		w.follow(watcher, s.dirs)
		// What came into a directory before it was watched was not told: look again.
		if s.content() == content {
			break
		}
		content = s.content()
	}
	return content
}

// follow watches these directories and no others. Those that are watched are asked for again: of one that was replaced the
// notifications would be those of the old one.
func (w *fileWatch) follow(watcher *fsnotify.Watcher, dirs map[string]map[string]bool) {
	if watcher == nil {
		return
	}
	for dir := range w.dirs {
		if _, wanted := dirs[dir]; !wanted {
			_ = watcher.Remove(dir) // is not there any more, most likely
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := watcher.Add(dir); err != nil && !os.IsNotExist(err) {
			w.log.Error(err, "watch directory; its changes are found by looking", "directory", dir, "every", w.poll.String())
		}
	}
	w.dirs = dirs
}

// matters reports whether a notification is about something that is watched.
func (w *fileWatch) matters(path string) bool {
	if _, dir := w.dirs[path]; dir {
		return true
	}
	names, ok := w.dirs[filepath.Dir(path)]
	return ok && (names == nil || names[filepath.Base(path)])
}

// scan is one look at trees.
type scan struct {
	hash hash.Hash
	dirs map[string]map[string]bool
}

func scanTrees(trees []tree) *scan {
	s := &scan{hash: sha256.New(), dirs: map[string]map[string]bool{}}
	for _, t := range trees {
		s.links(t.path)
		s.add(t, t.path, 0)
	}
	return s
}

func (s *scan) content() string { return string(s.hash.Sum(nil)) }

// note adds a part of the content; lengths keep the parts apart.
func (s *scan) note(path string, content []byte) {
	fmt.Fprintf(s.hash, "%d %s %d ", len(path), path, len(content))
	s.hash.Write(content)
}

// add adds a file, or a directory with what lies in it. An error is content as well: what cannot be read has changed.
func (s *scan) add(t tree, path string, level int) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		s.note(path, []byte(err.Error()))
	case info.IsDir() && level <= t.depth:
		s.addDir(t, path, level)
	case !info.IsDir() && (level == 0 || t.counts == nil || t.counts(filepath.Base(path))):
		content, err := os.ReadFile(path)
		if err != nil {
			content = []byte(err.Error())
		}
		s.note(path, content)
	}
}

func (s *scan) addDir(t tree, dir string, level int) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		s.dirs[real] = nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.note(dir, []byte(err.Error()))
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if entry.Type()&os.ModeSymlink != 0 {
			s.links(path)
		}
		s.add(t, path, level+1)
	}
}

// links asks for notifications from every directory on the way to path in which something may be replaced so that path becomes
// another file: the one that holds path itself, and those that hold a symbolic link. Where the way ends early, what is missing
// is waited for.
func (s *scan) links(path string) {
	path, err := filepath.Abs(path)
	if err != nil {
		return
	}
	rest := strings.Split(strings.Trim(path, "/"), "/")
	at := "/"
	for range 255 { // links may go round in circles
		if len(rest) == 0 {
			return
		}
		name := rest[0]
		next := filepath.Join(at, name)
		rest = rest[1:]
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			s.name(at, name)
			return
		case info.Mode()&os.ModeSymlink != 0:
			s.name(at, name)
			target, err := os.Readlink(next)
			if err != nil {
				return
			}
			if filepath.IsAbs(target) {
				at = "/"
			}
			rest = append(strings.Split(strings.Trim(target, "/"), "/"), rest...)
		case len(rest) == 0:
			s.name(at, name)
			return
		default:
			at = next
		}
	}
}

// name asks for notifications about one name in a directory.
func (s *scan) name(dir, name string) {
	names, known := s.dirs[dir]
	switch {
	case !known:
		s.dirs[dir] = map[string]bool{name: true}
	case names != nil: // nil is all of them
		names[name] = true
	}
}
