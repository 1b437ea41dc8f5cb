package js

import (
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
	"math"

	"modernc.org/libc"
)

func nativeHkdf(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	h, key, salt, info, length := in.hash(0), in.bytes(1), in.bytes(2), in.bytes(3), in.number(4, math.MaxUint32)
	if in.failed {
		return thrown
	}
	if length > int64(255*h.Size()) { // RFC 5869, section 2.3
		return undefined
	}
	out, err := hkdf.Key(h.New, key, salt, string(info), int(length))
	return in.bytesOr(out, err == nil)
}

func nativePbkdf2(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	h, password, salt, iterations, out := in.hash(0), in.bytes(1), in.bytes(2), in.number(3, math.MaxUint32), in.bytes(4)
	if in.failed {
		return thrown
	}
	if !pbkdf2(h, password, salt, iterations, out, in.e.stopped) {
		return thrown
	}
	return undefined
}

// pbkdf2Slice is how many iterations pass between two looks at the clock: less
// than a millisecond's.
const pbkdf2Slice = 1 << 10

// pbkdf2 fills out (RFC 8018, section 5.2), unlike package pbkdf2 with a look
// at stopped now and then. It reports false as soon as that returned true.
func pbkdf2(h crypto.Hash, password, salt []byte, iterations int64, out []byte, stopped func() bool) bool {
	prf := hmac.New(h.New, password)
	u, sum := make([]byte, 0, h.Size()), make([]byte, h.Size())
	left := pbkdf2Slice
	for block := uint32(1); len(out) > 0; block++ {
		prf.Reset()
		prf.Write(salt)
		prf.Write(binary.BigEndian.AppendUint32(nil, block))
		u = prf.Sum(u[:0])
		copy(sum, u)
		for i := int64(1); ; i++ {
			if left--; left <= 0 {
				if stopped() {
					return false
				}
				left = pbkdf2Slice
			}
			if i >= iterations {
				break
			}
			prf.Reset()
			prf.Write(u)
			u = prf.Sum(u[:0])
			subtle.XORBytes(sum, sum, u)
		}
		out = out[copy(out, sum):]
	}
	return true
}
