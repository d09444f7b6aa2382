// Package testdata holds three small stacks of image files, for tests and for
// trying the program out without data of one's own.
//
//	em/em_0000.tif … em_0019.tif              uint8 TIFF, deflate, strips of 64 rows, 1100×1060, z from 0
//	labels/labels_0000.tif … labels_0019.tif  uint64 TIFF, deflate, tiles of 256×256, 1100×1060, z from 0
//	counts/c0003.png … c0010.png              uint16 gray PNG, 300×200, z from 3
//
// em looks like a section of tissue under an electron microscope. Outside of
// the section's rounded outline all is zero, so that of the four cuboids of a
// chunk (1024×1024 and what lies right of it and below) the last is empty.
//
// labels names the cells of em: 0 is membrane and outside, half of the numbers
// are small, the others exceed 2^32, and one of them 2^63.
//
// counts looks like fluorescence: from 0 through values over 255 to saturated
// spots of 65535.
//
// They were made, and can be made again, by
//
//	go run testdata/generate.go
package testdata

import "embed"

// Stacks holds the directories em, labels and counts.
//
//go:embed em labels counts
var Stacks embed.FS
