// Package cpu says which instructions assembly may use on this machine. With the
// build tag purego, by which assembly is left out, it says none.
//
// golang.org/x/sys/cpu, which knows all instructions of all machines, lost to the
// one that is asked for here.
package cpu
