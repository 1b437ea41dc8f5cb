package js

import (
	"crypto/ed25519"

	"modernc.org/libc"
)

func nativeEdPublic(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	seed := in.sized(0, ed25519.SeedSize)
	if in.failed {
		return thrown
	}
	return in.e.newBytes(ed25519.NewKeyFromSeed(seed)[ed25519.SeedSize:])
}

func nativeEdSign(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	seed, data := in.sized(0, ed25519.SeedSize), in.bytes(1)
	if in.failed {
		return thrown
	}
	return in.e.newBytes(ed25519.Sign(ed25519.NewKeyFromSeed(seed), data))
}

func nativeEdVerify(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	public, data, signature := in.sized(0, ed25519.PublicKeySize), in.bytes(1), in.bytes(2)
	if in.failed {
		return thrown
	}
	return boolean(verifyEd25519(public, data, signature))
}

// verifyEd25519 also refuses keys and points R of small order, which Web
// Cryptography asks for and package ed25519 does not: under such a key one
// signature fits many messages.
func verifyEd25519(public, data, signature []byte) bool {
	return len(signature) == ed25519.SignatureSize &&
		!smallOrder([32]byte(public)) && !smallOrder([32]byte(signature)) &&
		ed25519.Verify(public, data, signature)
}

// smallOrder reports whether p encodes a point whose order divides the
// cofactor 8. The sign bit of x does not matter.
func smallOrder(p [32]byte) bool {
	p[31] &= 0x7f
	return smallY[p]
}

// smallY are the y coordinates of the points of small order, in each encoding
// that there is of them: y below 2^255, not only below the prime 2^255 - 19.
var smallY = map[[32]byte]bool{
	{}:                             true, // order 4
	{1}:                            true, // order 1
	fromTop(0xec):                  true, // prime - 1: order 2
	fromTop(0xed):                  true, // the prime: 0 again
	fromTop(0xee):                  true, // prime + 1: 1 again
	[32]byte([]byte(eighthY)):      true, // order 8
	[32]byte([]byte(otherEighthY)): true, // order 8
}

const (
	eighthY      = "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"
	otherEighthY = "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"
)

// fromTop is 2^255 - 256 + lowest in 32 bytes, the least significant first.
func fromTop(lowest byte) (y [32]byte) {
	for i := range y {
		y[i] = 0xff
	}
	y[0], y[31] = lowest, 0x7f
	return y
}
