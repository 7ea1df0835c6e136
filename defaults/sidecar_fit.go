package defaults

import (
	"strconv"

	"github.com/gesso-dev/gesso/internal/object"
)

// How the Profile's sidecar is fitted to the Pod that it joins.

// fit returns the sidecar's container as it goes into the template. Where the Pod has resources of its own, the container has none:
// their sum must not exceed the Pod's, which the author has measured for the app, and what is in the Pod shares them. Its user is
// chosen by sidecarUser.
func (f *Filling) fit(s *fragment) *object.Node {
	body, t := s.plain, f.template
	if podLevelResources(t) {
		body = body.Copy()
		body.Put(object.MustParse([]byte("{}")), "resources") // as the API server stores none
	}
	switch user, ok := f.sidecarUser(s); {
	case !ok:
	case user == podUser(t):
		body = body.Copy()
		body.Remove("securityContext", "runAsUser")
		if body.Get("securityContext").Len() == 0 {
			body.Remove("securityContext")
		}
	default:
		body = body.Copy()
		body.Put(object.MustParse(strconv.AppendInt(nil, user, 10)), "securityContext", "runAsUser")
	}
	return body
}

// sidecarUser returns the user that the sidecar must have for the sake of the app. Where all containers of a Pod run as one user the
// kubelet gives the service account's token, and that of an AWS role, to this user and to nobody else; where one of them has another
// user, or none, everybody in the Pod may read it. The sidecar must not change which of the two it is. Root is never taken over.
func (f *Filling) sidecarUser(s *fragment) (user int64, ok bool) {
	if user = podUser(f.template); user >= 0 {
		return user, user > 0
	}
	user = -1
	for _, c := range f.all() {
		if c.Sort == object.Ephemeral || s.named(c.Name) {
			continue
		}
		own, set := c.Node.Get("securityContext", "runAsUser").Int()
		if !set || user >= 0 && own != user {
			return 0, false
		}
		user = own
	}
	return user, user > 0
}

// podUser returns runAsUser of the pod, -1 where there is none.
func podUser(t *object.Template) int64 {
	if user, ok := t.Node.Get("spec", "securityContext", "runAsUser").Int(); ok {
		return user
	}
	return -1
}

// rootConflict returns the field that makes the sidecar run as root although it must not: the kubelet would not start it, and with it
// not the app.
func (s *fragment) rootConflict(t *object.Template) (path []string) {
	context := s.body.Get("securityContext")
	if podUser(t) == 0 && context.Get("runAsUser").Missing() && context.Get("runAsNonRoot").IsTrue() {
		return t.Spec("securityContext", "runAsUser")
	}
	return nil
}

// podLevelResources reports whether the Pod has resources of its own.
func podLevelResources(t *object.Template) bool { return t.Node.Get("spec", "resources").Len() > 0 }
