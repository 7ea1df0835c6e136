package policies

import "github.com/gesso-dev/gesso/policies/demand"

// Reads is what the policy of an id reads of its input, as its author wrote it; nil where there is no such policy. All at the root is the
// whole input, and Why says what asks for it.
func (s *Set) Reads(id string) *demand.Node {
	p := s.policy(id)
	if p == nil {
		return nil
	}
	found := p.reads()
	if found == nil {
		return demand.Whole("print statements are kept")
	}
	reads := &demand.Node{}
	reads.Add(found)
	if p.unit.shared { // there the fields that differ from policy to policy lie by id
		for name, kid := range reads.Kids {
			if own := kid.Kids[id]; own != nil && (name == "parameters" || name == "inventory") {
				reads.Kids[name] = own
			}
		}
	}
	return reads
}
