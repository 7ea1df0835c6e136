package policies

import "strings"

// quickReference takes apart what nearly every reference is: lower-case names, a registry, a tag, a SHA-256 digest. ok is false for
// everything else, valid or not: the library knows better, with regular expressions that cost a hundred times as much.
func quickReference(text string) (ref imageRef, ok bool) {
	ref = imageRef{OK: true, Trimmed: text, Name: text}
	if name, digest, found := strings.Cut(text, "@"); found {
		if hex, sha := strings.CutPrefix(digest, "sha256:"); !sha || len(hex) != 64 || span(hex, isHex) != 64 {
			return ref, false
		}
		ref.Name, ref.Digest = name, digest
	}
	slash := strings.LastIndexByte(ref.Name, '/')
	if colon := strings.IndexByte(ref.Name[slash+1:], ':'); colon >= 0 {
		colon += slash + 1
		if ref.Tag = ref.Name[colon+1:]; !isTag(ref.Tag) {
			return ref, false
		}
		ref.Name = ref.Name[:colon]
	}
	if len(ref.Name) > 200 || slash < 0 && len(text) == 64 { // the library has limits, and 64 digits are an image id
		return ref, false
	}
	ok = ref.setRepository()
	return ref, ok
}

// setRepository splits the name where its first part is a registry.
func (r *imageRef) setRepository() bool {
	r.Registry, r.Repository = "docker.io", r.Name
	first, rest, several := strings.Cut(r.Name, "/")
	switch {
	case !several:
		r.Repository = "library/" + r.Name
	case first == "docker.io" || first == "index.docker.io":
		return false
	case first == "localhost" || strings.ContainsAny(first, ".:") || span(first, isLower) < len(first):
		if !isHost(first) {
			return false
		}
		r.Registry, r.Repository = first, rest
	}
	return isRepository(r.Repository)
}

func isLower(c byte) bool  { return c < 'A' || c > 'Z' }
func isHex(c byte) bool    { return isDigit(c) || c >= 'a' && c <= 'f' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isSmall(c byte) bool  { return isDigit(c) || c >= 'a' && c <= 'z' }
func isLetter(c byte) bool { return isSmall(c) || c >= 'A' && c <= 'Z' }

// span counts the bytes at the beginning of a text that are of a kind.
func span(text string, kind func(byte) bool) int {
	for i := range len(text) {
		if !kind(text[i]) {
			return i
		}
	}
	return len(text)
}

func isTag(text string) bool {
	return text != "" && len(text) <= 128 && text[0] != '.' && text[0] != '-' &&
		span(text, func(c byte) bool { return isLetter(c) || c == '_' || c == '.' || c == '-' }) == len(text)
}

// isHost knows names and IPv4 addresses, with a port or without.
func isHost(text string) bool {
	host, port, found := strings.Cut(text, ":")
	if found && (port == "" || span(port, isDigit) < len(port)) {
		return false
	}
	for part := range strings.SplitSeq(host, ".") {
		if part == "" || part[0] == '-' || part[len(part)-1] == '-' || span(part, func(c byte) bool { return isLetter(c) || c == '-' }) < len(part) {
			return false
		}
	}
	return true
}

// isRepository knows path components of small letters and digits with single separators between them.
func isRepository(text string) bool {
	separated := true // nothing, or a separator, stands before
	for i := range len(text) {
		switch c := text[i]; {
		case isSmall(c):
			separated = false
		case separated || c != '.' && c != '_' && c != '-' && c != '/':
			return false
		default:
			separated = true
		}
	}
	return !separated
}
