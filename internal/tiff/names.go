package tiff

import "fmt"

// codecs are the compressions that are read. 32946 is what deflate was called
// before Adobe gave it 8; the data are the same (Photoshop Technical Notes). 50000
// is libtiff's.
var codecs = map[uint64]codec{1: codecNone, 5: codecLZW, 8: codecDeflate, 32946: codecDeflate, 32773: codecPackBits, 50000: codecZstd}

// compressions names those that are not, after libtiff's tiff.h.
var compressions = map[uint64]string{
	2: "CCITT RLE", 3: "CCITT Group 3", 4: "CCITT Group 4", 6: "old-style JPEG", 7: "JPEG",
	32809: "ThunderScan", 33003: "JPEG 2000", 33005: "JPEG 2000", 34676: "SGI LogLuv", 34677: "SGI LogLuv 24",
	34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50001: "WebP", 50002: "JPEG XL",
}

// colours names the photometric interpretations that are not gray.
var colours = map[uint64]string{
	2: "RGB images", 3: "palette images", 4: "transparency masks", 5: "CMYK images",
	6: "YCbCr images", 8: "CIELab images", 9: "ICCLab images", 32803: "colour filter arrays", 34892: "linear raw images",
}

// formats names the sample formats that are not unsigned integers (TIFF 6.0
// section 19; 5 and 6 after libtiff).
var formats = map[uint64]string{2: "signed", 3: "floating-point", 4: "undefined", 5: "complex integer", 6: "complex"}

// compressionName is how a compression that is not read is called.
func compressionName(c uint64) string {
	if name, ok := compressions[c]; ok {
		return name + " compression"
	}
	return fmt.Sprintf("compression %d", c)
}
