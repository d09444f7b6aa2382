//go:build !amd64 || purego

package cpu

// AVX2 and BMI2 are of amd64.
const AVX2, BMI2 = false, false
