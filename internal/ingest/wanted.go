package ingest

import (
	"iter"

	"github.com/neurodata/ndpush/internal/voxel"
)

// wanted gives the cuboids of a box that are to be carried.
func (r *Road) wanted(box voxel.Box) iter.Seq[voxel.Box] {
	return func(yield func(voxel.Box) bool) {
		for piece := range r.Plan.Cuboids(box) {
			if (r.Skip == nil || !r.Skip(piece)) && !yield(piece) {
				return
			}
		}
	}
}

// chunks gives those of the plan of which something is to be carried.
func (r *Road) chunks() iter.Seq[voxel.Box] {
	return func(yield func(voxel.Box) bool) {
		for chunk := range r.Plan.Chunks() {
			for range r.wanted(chunk) {
				if !yield(chunk) {
					return
				}
				break
			}
		}
	}
}

// Left is what is to be carried: cuboids, and their bytes before compression.
func (r *Road) Left() (cuboids, bytes int64) {
	for piece := range r.wanted(r.Plan.Data) {
		cuboids++
		bytes += piece.Voxels() * int64(r.Plan.Channel.Size())
	}
	return cuboids, bytes
}

// slices are the z, in source coordinates, that are to be read, in ascending order.
func (r *Road) slices() (list []int) {
	for chunk := range r.chunks() {
		for z := chunk.Min.Z; z < chunk.Max.Z; z++ {
			list = append(list, z-r.Origin.Z)
		}
	}
	return list
}
