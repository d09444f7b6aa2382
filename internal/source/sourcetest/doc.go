// Package sourcetest is the contract that every source keeps.
//
// [Suite.Run] is that contract as tests: a new source shows with a test file of
// a few lines that it reads the same voxels in bands of any height, and fails in
// the ways that callers rely on. [Memory] and [Func] are sources for the tests
// of those callers, [Faulty] one whose faults are scripted; [TIFF] makes files.
package sourcetest
