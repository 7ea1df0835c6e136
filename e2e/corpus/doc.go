// Package corpus holds what the defaults promise against a real API server: what they fill is stored as it was filled, what was
// accepted without Gesso is accepted with it, and what the author wrote is untouched. It has a control plane of its own.
//
// Where GESSO_CORPUS names a file of real objects, one {"source": …, "object": …} a line, all of them are put through (make corpus).
package corpus
