package host_path

violation contains {"msg": sprintf("volume %q mounts %q of the node", [volume.name, volume.hostPath.path])} if {
	some volume in input.review.object.spec.volumes
	volume.hostPath
}
