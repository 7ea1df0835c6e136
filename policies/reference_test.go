package policies

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseReference(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	sha := "sha256:" + hex
	for name, tc := range map[string]struct {
		text string
		want imageRef
	}{
		"a bare name":                    {"nginx", imageRef{OK: true, Registry: "docker.io", Repository: "library/nginx", Name: "nginx"}},
		"a tag":                          {"nginx:1.27", imageRef{OK: true, Registry: "docker.io", Repository: "library/nginx", Tag: "1.27", Name: "nginx"}},
		"a port is no tag":               {"localhost:5000/foo", imageRef{OK: true, Registry: "localhost:5000", Repository: "foo", Name: "localhost:5000/foo"}},
		"a tag that looks like a port":   {"foo:5000", imageRef{OK: true, Registry: "docker.io", Repository: "library/foo", Tag: "5000", Name: "foo"}},
		"a port that looks like a tag":   {"foo:5000/bar", imageRef{OK: true, Registry: "foo:5000", Repository: "bar", Name: "foo:5000/bar"}},
		"an upper-case registry":         {"MYREGISTRY/foo:1", imageRef{OK: true, Registry: "MYREGISTRY", Repository: "foo", Tag: "1", Name: "MYREGISTRY/foo"}},
		"a user of the hub":              {"myregistry/foo", imageRef{OK: true, Registry: "docker.io", Repository: "myregistry/foo", Name: "myregistry/foo"}},
		"the old name of the hub":        {"index.docker.io/a/b", imageRef{OK: true, Registry: "docker.io", Repository: "a/b", Name: "index.docker.io/a/b"}},
		"a tag and a digest":             {"reg.example/a:latest@" + sha, imageRef{OK: true, Registry: "reg.example", Repository: "a", Tag: "latest", Digest: sha, Name: "reg.example/a"}},
		"a digest":                       {"a@" + sha, imageRef{OK: true, Registry: "docker.io", Repository: "library/a", Digest: sha, Name: "a"}},
		"a digest of another algorithm":  {"a@sha512:" + hex + hex, imageRef{OK: true, Registry: "docker.io", Repository: "library/a", Digest: "sha512:" + hex + hex, Name: "a"}},
		"what looks like a digest alone": {sha, imageRef{OK: true, Registry: "docker.io", Repository: "library/sha256", Tag: hex, Name: "sha256"}},
		"LATEST is another tag":          {"a:LATEST", imageRef{OK: true, Registry: "docker.io", Repository: "library/a", Tag: "LATEST", Name: "a"}},
		"a port, a tag and a digest":     {"r.example:5000/a/b:1@" + sha, imageRef{OK: true, Registry: "r.example:5000", Repository: "a/b", Tag: "1", Digest: sha, Name: "r.example:5000/a/b"}},
		"an upper-case repository":       {"reg.example/Foo:1", imageRef{Reason: "has a repository name that is not lower case"}},
		"an image id":                    {hex, imageRef{Reason: "is an image id, not a name"}},
		"a long tag":                     {"a:" + strings.Repeat("x", 129), imageRef{Reason: "is no valid image reference"}},
		"a tag with a plus":              {"a:1+2", imageRef{Reason: "is no valid image reference"}},
		"two tags":                       {"a:1:2", imageRef{Reason: "is no valid image reference"}},
		"an empty tag":                   {"a:", imageRef{Reason: "is no valid image reference"}},
		"a short digest":                 {"a@sha256:abc", imageRef{Reason: "is no valid image reference"}},
		"a digest of the wrong length":   {"a@sha256:" + hex[:40], imageRef{Reason: "has a digest that is not valid"}},
		"an unknown algorithm":           {"a@md5:" + hex[:32], imageRef{Reason: "has a digest that is not valid"}},
		"a long name":                    {strings.Repeat("a/", 200) + "a:1", imageRef{Reason: "has a name that is too long"}},
		"a scheme":                       {"https://reg.example/a:1", imageRef{Reason: "is no valid image reference"}},
		"white space inside":             {"a b", imageRef{Reason: "is no valid image reference"}},
		"white space behind":             {"a:1 ", imageRef{Reason: "has white space around it", Trimmed: "a:1"}},
		"a line break before":            {"\na:1", imageRef{Reason: "has white space around it", Trimmed: "a:1"}},
		"nothing":                        {"", imageRef{Reason: "is empty"}},
		"white space only":               {" \t", imageRef{Reason: "is empty"}},
		"a variable":                     {"$(IMAGE)", imageRef{Reason: "has a repository name that is not lower case"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want.Trimmed == "" {
				want.Trimmed = strings.TrimSpace(tc.text)
			}
			if diff := cmp.Diff(want, parseReference(tc.text)); diff != "" {
				t.Errorf("%q: -want +got:\n%s", tc.text, diff)
			}
			if quick, ok := quickReference(tc.text); ok && quick != want {
				t.Errorf("%q, quickly: %+v", tc.text, quick)
			}
		})
	}
}

// TestQuickReference: what is common takes the quick way; that it leads to the same place is FuzzParseReference's to show.
func TestQuickReference(t *testing.T) {
	for _, text := range []string{
		"nginx", "nginx:1.27", "shop/web:0123abc", "registry.example.com/team-a/shop:v1.2.3-rc_4", "localhost:5000/a", "10.0.0.1:5000/a/b:1",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web_api:0123abc@sha256:" + strings.Repeat("0123456789abcdef", 4),
	} {
		quick, ok := quickReference(text)
		if slow := slowReference(text); !ok || quick != slow {
			t.Errorf("%s: %t, %+v, the library says %+v", text, ok, quick, slow)
		}
	}
}

// TestQuickReferenceRandom holds the quick way against the library on references put together from what they are made of.
func TestQuickReferenceRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	hex := strings.Repeat("0123456789abcdef", 4)
	parts := []string{
		"a", "b", "a", "b", "A", "0", "9", ".", "-", "_", "/", "/", ":", ":", "@", "@sha256:" + hex, "@sha256:" + hex[1:], "localhost", "docker.io/",
		"index.docker.io/", "library/", "é", "+", " ", "[", strings.Repeat("x", 120), hex,
	}
	quickly := 0
	for range 100_000 {
		text := "a"
		for range random.IntN(9) {
			text += parts[random.IntN(len(parts))]
		}
		quick, ok := quickReference(text)
		if !ok {
			continue
		}
		quickly++
		if slow := slowReference(text); quick != slow {
			t.Errorf("%q: %+v, the library says %+v", text, quick, slow)
		}
	}
	if quickly < 10_000 {
		t.Errorf("only %d went the quick way", quickly)
	}
}
