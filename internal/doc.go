// Package internal is the map of ndpush.
//
// The road the data takes:
//
//	job ──▶ plan                            what is wanted · in which pieces
//	          │
//	source ─▶ raster ─▶ band                where slices come from; TIFF and PNG, row by row
//	          │
//	ingest    bands ▶ cuboids ▶ workers     the plan bounds the memory; what the journal
//	          │                             says is done is left out
//	boss  ──▶ blosc ──▶ pace ──▶ POST /v1/cutout/…
//	          │
//	journal · joblog · progress · slack     what happened
//	          │
//	verify                                  what BOSS holds, against the images or the journal
//
// Before the road, cli's check looks at all that can fail; its canary goes one step
// and takes it back. Beside the road, script writes it as a job for many machines,
// each with a share of the slices and a journal of its own.
//
// The words, each with one meaning:
//
//	slice   one image, one z
//	chunk   up to 16 slices that share a BOSS z group: what is read at one time, and the next one open
//	band    the rows of a chunk that share a BOSS y group of 1024: what is in memory at one time
//	cuboid  the box cut from a band and posted at once: at most 1024×1024×16 voxels
//	cutout  BOSS's word for the request that carries a cuboid
//
// Ranges are half-open. Voxels lie x fastest, then y, then z, little-endian.
//
// The packages, from what knows nothing to what knows all:
//
//	voxel job plan                  nouns: no disk, no network, no clock
//	cpu                             which instructions there are
//	blosc inflate png tiff raster   formats: bytes in, bytes out
//	retry pace                      how patiently, and how politely, services are asked
//	source                          where slices come from:
//	local s3 render                   a directory, a bucket, a render service
//	sourcetest rendertest             the contract of sources; a small render for tests
//	discover                        what a place holds: which files are slices, and of what
//	preview                         what slices look like, before they are sent
//	boss provision localboss        where cuboids go
//	ingest verify canary            the road, and a first step on it that is taken back
//	journal joblog progress slack   what is written down, and told
//	event metrics                     to programs
//	human                           how all of them say numbers, and what services said
//	script machine                  beside the road: jobs for a cluster; what this machine has to give
//	slurmtest                         a real Slurm for tests
//	viewer                          pages that show what a BOSS holds
//	manual                          the pages of ndpush help
//	generate                          of them, what the commands say
//	report                          the page about an ingest, when it ended or meanwhile
//	release                         what is published
//	cli                             the only place where parts meet
//	bench                           the whole of it, measured:
//	stack nullboss                    stacks made up, and a BOSS that keeps nothing
//
// Who may import whom is written down in deps_test.go, and enforced there.
package internal
