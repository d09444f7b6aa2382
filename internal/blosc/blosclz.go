package blosc

import "errors"

var errBloscLZ = errors.New("corrupt stream")

// blosclz decodes the stream src, of C-Blosc's own codec, to dst and returns
// the number of bytes it holds, which is at most len(dst).
//
// A stream is literals and matches in turn, each behind a control byte. Below
// 32, that many literals and one more follow. Otherwise its upper three bits
// are the length of a match and its lower five the upper bits of the distance,
// whose lower eight bits are in the next byte. The first control byte has no
// upper bits: a stream begins with literals. (blosclz.c)
func blosclz(dst, src []byte) (int, error) {
	at := 0
	for first := true; len(src) > 0; first = false {
		ctrl := int(src[0])
		src = src[1:]
		if first {
			ctrl &= 31
		}
		if ctrl < 32 {
			n := ctrl + 1
			if n > len(src) || n > len(dst)-at {
				return 0, errBloscLZ
			}
			at += copy(dst[at:], src[:n])
			src = src[n:]
			continue
		}
		length, distance, n := blosclzMatch(ctrl, src)
		if n == 0 || distance > at || length > len(dst)-at {
			return 0, errBloscLZ
		}
		repeat(dst, at, length, distance)
		at += length
		src = src[n:]
	}
	return at, nil
}

// blosclzMatch reads what follows the control byte of a match, n bytes. n is 0
// if they are cut off.
func blosclzMatch(ctrl int, src []byte) (length, distance, n int) {
	const longest, farthest = 7, 31<<8 | 255
	length = ctrl >> 5
	for more := 255; ctrl>>5 == longest && more == 255; n++ { // goes on up to a byte below 255
		if n == len(src) {
			return 0, 0, 0
		}
		more = int(src[n])
		length += more
	}
	if n == len(src) {
		return 0, 0, 0
	}
	distance = ctrl&31<<8 | int(src[n])
	n++
	if distance == farthest { // 16 bits more
		if n+2 > len(src) {
			return 0, 0, 0
		}
		distance += int(src[n])<<8 | int(src[n+1])
		n += 2
	}
	return length + 2, distance + 1, n
}

// repeat writes length bytes to dst[at:], a copy of what lies distance bytes
// before. If that is less than length it repeats itself.
func repeat(dst []byte, at, length, distance int) {
	for from, end := at-distance, at+length; at < end; {
		at += copy(dst[at:end], dst[from:at])
	}
}
