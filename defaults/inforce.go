package defaults

// SidecarInForce returns the container and the volumes of the Profile's sidecar as they are filled in, before {appPort} and the like are
// replaced: complete, in the form that the API server stores. Both are nil where no sidecar is configured.
func (s *Set) SidecarInForce() (container []byte, volumes [][]byte) {
	if s.sidecar == nil {
		return nil, nil
	}
	volumes = make([][]byte, len(s.sidecar.volumes))
	for i, v := range s.sidecar.volumes {
		volumes[i] = v.Bytes()
	}
	return s.sidecar.body.Bytes(), volumes
}
